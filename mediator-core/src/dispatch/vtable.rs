//! What is compiled for each pair of an event and a handler; for requests see `request.rs`.

use std::alloc::Layout;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
use std::any::type_name;
use std::mem;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use super::borrow::Borrow;
use super::dispatch::Dispatch;
use super::lent::Lent;
use super::storage::Storage;
use crate::event::dynamic::DynNotification;
use crate::event::notification::Notification;
use crate::handler::error::BoxError;
use crate::handler::event_handler::{EventHandler, HandlerFuture, HandlerOutput};
use crate::services::inject::Inject;

/// What a handler is after a poll.
///
/// Flatter than a `Poll` of a `Result`, and the error boxed once more, so that it is returned in
/// registers and `Done` is seen by one comparison.
pub(crate) enum Polled {
    Done,
    Pending,
    Failed(Box<BoxError>),
}

impl Polled {
    // Not generic over the handler.
    #[inline]
    fn of(result: Result<(), BoxError>) -> Self {
        #[cold]
        fn failed(error: BoxError) -> Polled {
            Polled::Failed(Box::new(error))
        }

        result.map_or_else(failed, |()| Self::Done)
    }

    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

/// What the macros make of a function or a method: a handler that may borrow from the publish.
///
/// `E` is an event type, or `dyn DynNotification` for an observer.
#[doc(hidden)]
pub trait FnHandler<E: ?Sized>: 'static {
    /// What is built of the services: the injected parameters of a function, `Self` of a method.
    type Receiver: Inject + Send + Sync + 'static;

    /// What it borrows, in the order of the parameters.
    const BORROWS: &'static [Borrow] = &[];

    fn call<'a>(receiver: &'a Self::Receiver, event: &'a E, lent: Lent<'a>) -> impl HandlerFuture;
}

/// Calls the handler at the first pointer with what the second points to, its [`Argument`], and polls
/// the future in the storage; unless it is pending afterwards, it has been dropped.
pub(super) type Start = unsafe fn(NonNull<()>, NonNull<()>, NonNull<Storage>, &mut Context<'_>) -> Polled;

/// What remains of the output of a handler's future.
pub(super) trait Settle<T> {
    /// Of what it leaves in the storage.
    const LEFT: Layout = Layout::new::<()>();

    /// The type of the error, as those who observe are told.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    const ERROR_TYPE: fn() -> &'static str = type_name::<BoxError>;

    /// Whether that is the answer to a request.
    const LEAVES_ANSWER: bool = false;

    /// Settles the output of a future that was in `storage`, and is gone.
    ///
    /// # Safety
    ///
    /// `storage` holds no future and is exclusively borrowed.
    unsafe fn settle(output: T, storage: NonNull<Storage>) -> Polled;
}

/// Of an event's handler: its error.
pub(super) struct FailureOnly;

impl<T: HandlerOutput> Settle<T> for FailureOnly {
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    const ERROR_TYPE: fn() -> &'static str = T::error_type;

    #[inline]
    unsafe fn settle(output: T, _storage: NonNull<Storage>) -> Polled {
        Polled::of(output.into_result())
    }
}

/// Functions for an event type, a handler type, and the type of the future of the two.
#[derive(Clone, Copy)]
pub(super) struct Vtable {
    pub(super) start: Start,
    /// Polls the future again; unless it is pending afterwards, it has been dropped.
    pub(super) poll: unsafe fn(NonNull<Storage>, &mut Context<'_>) -> Polled,
    pub(super) drop_future: unsafe fn(NonNull<Storage>),
}

/// What is compiled for futures of one type.
#[derive(Clone, Copy)]
pub(super) struct Compiled {
    pub(super) vtable: Vtable,
    /// What `vtable` uses of a storage at most.
    pub(super) frame: Layout,
    /// See [`Settle::ERROR_TYPE`].
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) error_type: fn() -> &'static str,
}

impl Compiled {
    /// Takes `EventHandler::handle`, since the type of its future has no name.
    const fn of<'a, E: ?Sized + 'a, H: 'a, F: HandlerFuture + 'a>(
        start: Start,
        handle: impl FnOnce(&'a H, &'a E) -> F,
    ) -> Self {
        mem::forget(handle);
        Self::of_future::<F, FailureOnly>(start)
    }

    /// Takes `FnHandler::call`, for the same reason.
    const fn of_fn<'a, E: ?Sized + 'a, R: 'a, F: HandlerFuture + 'a>(
        start: Start,
        call: impl FnOnce(&'a R, &'a E, Lent<'a>) -> F,
    ) -> Self {
        mem::forget(call);
        Self::of_future::<F, FailureOnly>(start)
    }

    /// Of an event's handler.
    pub(super) const fn of_handler<E: Notification, H: EventHandler<E>>() -> Self {
        Self::of(start::<E, H>, H::handle)
    }

    /// Of a function or a method that handles an event.
    pub(super) const fn of_handler_fn<E: Notification, F: FnHandler<E>>() -> Self {
        if const { F::BORROWS.is_empty() } {
            Self::of_fn(start_fn::<E, F>, F::call)
        } else {
            Self::of_fn(start_borrowing::<E, F>, F::call)
        }
    }

    pub(super) const fn of_observer<H: EventHandler<dyn DynNotification>>() -> Self {
        Self::of(start_observer::<H>, H::handle)
    }

    pub(super) const fn of_observer_fn<F: FnHandler<dyn DynNotification>>() -> Self {
        Self::of_fn(start_observer_fn::<F>, F::call)
    }

    pub(super) const fn of_future<F: Future, S: Settle<F::Output>>(start: Start) -> Self {
        let vtable = if const { Storage::fits::<F>() } {
            Vtable { start, poll: poll::<F, S>, drop_future: drop_in_place::<F> }
        } else {
            Vtable { start, poll: poll::<Pin<Box<F>>, S>, drop_future: drop_in_place::<Pin<Box<F>>> }
        };
        Self {
            vtable,
            frame: const { larger(kept_layout::<F>(), S::LEFT) },
            #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
            error_type: S::ERROR_TYPE,
        }
    }
}

/// Of a `T` in a storage, which is in a box if it is too large.
pub(super) const fn kept_layout<T>() -> Layout {
    if Storage::fits::<T>() { Layout::new::<T>() } else { Layout::new::<Box<T>>() }
}

/// For either of two.
const fn larger(one: Layout, other: Layout) -> Layout {
    let size = if one.size() > other.size() { one.size() } else { other.size() };
    let align = if one.align() > other.align() { one.align() } else { other.align() };
    match Layout::from_size_align(size, align) {
        Ok(layout) => layout,
        Err(_) => panic!("a storage is small"),
    }
}

// The invariant of all `start` functions, kept by `HandlerList` and by those who call a `Callee`: `handler` points to a receiver
// of the vtable's type and `argument` to what `Argument` says, both borrowed until the future is gone; `storage` holds no
// future and is exclusively borrowed, and if the result is `Pending`, it stays pinned. Then it holds what the vtable polls and
// drops.

/// # Safety
///
/// The invariant of `start` functions, with an `E` as the argument.
unsafe fn start<E: Notification, H: EventHandler<E>>(
    handler: NonNull<()>,
    event: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `H`, borrowed.
    let handler: &H = unsafe { &*(handler.as_ptr() as *const H) };
    // SAFETY: points to an `E`, borrowed.
    let event: &E = unsafe { &*(event.as_ptr() as *const E) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, FailureOnly>(handler.handle(event), storage, cx) }
}

/// # Safety
///
/// The invariant of `start` functions, with an `E` as the argument.
unsafe fn start_fn<E: Notification, F: FnHandler<E>>(
    receiver: NonNull<()>,
    event: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `F::Receiver`, borrowed.
    let receiver: &F::Receiver = unsafe { &*(receiver.as_ptr() as *const F::Receiver) };
    // SAFETY: points to an `E`, borrowed.
    let event: &E = unsafe { &*(event.as_ptr() as *const E) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, FailureOnly>(F::call(receiver, event, Lent::NOTHING), storage, cx) }
}

/// # Safety
///
/// The invariant of `start` functions, with a dispatch of an `E` as the argument.
unsafe fn start_borrowing<E: Notification, F: FnHandler<E>>(
    receiver: NonNull<()>,
    dispatch: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `F::Receiver`, borrowed.
    let receiver: &F::Receiver = unsafe { &*(receiver.as_ptr() as *const F::Receiver) };
    // SAFETY: points to a dispatch, borrowed.
    let dispatch: &Dispatch<'_> = unsafe { &*(dispatch.as_ptr() as *const Dispatch<'_>) };
    // SAFETY: its event is an `E`, borrowed like the dispatch.
    let event: &E = unsafe { &*(dispatch.erased_message().as_ptr() as *const E) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, FailureOnly>(F::call(receiver, event, Lent::by(dispatch)), storage, cx) }
}

/// # Safety
///
/// The invariant of `start` functions, with a dispatch as the argument.
unsafe fn start_observer<H: EventHandler<dyn DynNotification>>(
    handler: NonNull<()>,
    dispatch: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `H`, borrowed.
    let handler: &H = unsafe { &*(handler.as_ptr() as *const H) };
    // SAFETY: points to a dispatch, borrowed.
    let dispatch: &Dispatch<'_> = unsafe { &*(dispatch.as_ptr() as *const Dispatch<'_>) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, FailureOnly>(handler.handle(dispatch.event()), storage, cx) }
}

/// # Safety
///
/// The invariant of `start` functions, with a dispatch as the argument.
unsafe fn start_observer_fn<F: FnHandler<dyn DynNotification>>(
    receiver: NonNull<()>,
    dispatch: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `F::Receiver`, borrowed.
    let receiver: &F::Receiver = unsafe { &*(receiver.as_ptr() as *const F::Receiver) };
    // SAFETY: points to a dispatch, borrowed.
    let dispatch: &Dispatch<'_> = unsafe { &*(dispatch.as_ptr() as *const Dispatch<'_>) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, FailureOnly>(F::call(receiver, dispatch.event(), Lent::by(dispatch)), storage, cx) }
}

/// A handler that takes the event, in a list whose handlers are called with the dispatch.
pub(super) struct TakesEvent {
    pub(super) start: Start,
    pub(super) handler: NonNull<()>,
}

// SAFETY: `handler` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Send for TakesEvent {}
// SAFETY: `handler` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Sync for TakesEvent {}

/// # Safety
///
/// The invariant of `start` functions, with a `TakesEvent` as the receiver and a dispatch of its handler's event as the argument.
pub(super) unsafe fn start_with_event(
    handler: NonNull<()>,
    dispatch: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to a `TakesEvent`, borrowed.
    let handler: &TakesEvent = unsafe { handler.cast().as_ref() };
    // SAFETY: points to a dispatch, borrowed.
    let dispatch: &Dispatch<'_> = unsafe { dispatch.cast().as_ref() };
    // SAFETY: the handler's own start function, with an event of its type.
    unsafe { (handler.start)(handler.handler, dispatch.erased_message(), storage, cx) }
}

/// Puts the future into `storage`, in a box if it is too large, and polls it.
///
/// # Safety
///
/// The storage is as the invariant of `start` functions says.
#[inline]
pub(super) unsafe fn start_future<F: Future, S: Settle<F::Output>>(
    future: F,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    if const { Storage::fits::<F>() } {
        // SAFETY: the storage is large and aligned enough, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut F, future) };
        // SAFETY: an `F` was written just now; the caller keeps it pinned.
        unsafe { poll::<F, S>(storage, cx) }
    } else {
        // SAFETY: the storage is large and aligned enough for a pointer, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut Pin<Box<F>>, Box::pin(future)) };
        // SAFETY: a `Pin<Box<F>>` was written just now; the caller keeps it pinned.
        unsafe { poll::<Pin<Box<F>>, S>(storage, cx) }
    }
}

/// Polls the `F` in `storage`, and drops it unless it is still pending.
///
/// # Safety
///
/// `storage` holds an `F` that is pinned there and that nobody else accesses. It is gone
/// afterwards, even after a panic, unless the result is `Pending`.
#[inline]
unsafe fn poll<F: Future, S: Settle<F::Output>>(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    struct DropGuard<F>(*mut F);

    impl<F> Drop for DropGuard<F> {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: made from the storage below, whose future the guard drops unless it is pending.
            unsafe { ptr::drop_in_place(self.0) };
        }
    }

    let guard = DropGuard(storage.as_ptr() as *mut F);
    // SAFETY: the storage holds a valid `F` that is not accessed otherwise.
    let future = unsafe { &mut *guard.0 };
    // SAFETY: it is pinned there.
    let future = unsafe { Pin::new_unchecked(future) };
    match future.poll(cx) {
        Poll::Pending => {
            mem::forget(guard);
            Polled::Pending
        }
        Poll::Ready(output) => {
            drop(guard);
            // SAFETY: the future is gone, and nobody else accesses the storage.
            unsafe { S::settle(output, storage) }
        }
    }
}

/// Drops the `F` in `storage`.
///
/// # Safety
///
/// `storage` holds an `F` that nobody else accesses. It is gone afterwards.
#[inline]
unsafe fn drop_in_place<F>(storage: NonNull<Storage>) {
    // SAFETY: the storage holds an `F` that nobody else accesses.
    unsafe { ptr::drop_in_place(storage.as_ptr() as *mut F) };
}
