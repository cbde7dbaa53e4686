//! What is compiled for each pair of an event and a handler.

use std::any::TypeId;
use std::mem;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::slot::Storage;
use crate::handler::{BoxError, HandlerOutput};
use crate::{DynNotification, EventHandler, HandlerFuture, Notification};

/// What came of polling a handler.
///
/// Flatter than a `Poll` of a `Result`, and the error boxed once more, so that it is returned in
/// registers and `Done` is seen by one comparison.
pub(crate) enum Polled {
    Done,
    Pending,
    Failed(Box<BoxError>),
}

impl Polled {
    // Not for each handler type.
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

/// How to call handlers of one type with events of one type.
#[derive(Clone, Copy)]
pub(crate) struct CallPlan {
    event: TypeId,
    handler: TypeId,
    /// An `Arc` of `handler` handles the event too, and is the same handler.
    shared: TypeId,
    pub(super) as_dyn: AsDyn,
    pub(super) functions: Functions,
}

/// Makes of a pointer to an event of some type one that knows the type.
pub(super) type AsDyn = fn(NonNull<()>) -> NonNull<dyn DynNotification>;

pub(super) fn as_dyn<E: Notification>(event: NonNull<()>) -> NonNull<dyn DynNotification> {
    event.cast::<E>()
}

impl CallPlan {
    pub(crate) fn new<E: Notification, H: EventHandler<E>>() -> Self {
        let (event, handler, shared) = (TypeId::of::<E>(), TypeId::of::<H>(), TypeId::of::<Arc<H>>());
        Self { event, handler, shared, as_dyn: as_dyn::<E>, functions: Functions::new::<E, H, _>(H::handle) }
    }

    pub(crate) fn event(&self) -> TypeId {
        self.event
    }

    pub(crate) fn handler(&self) -> TypeId {
        self.handler
    }

    pub(crate) fn shared_handler(&self) -> TypeId {
        self.shared
    }
}

/// Calls the handler at the first pointer with the event at the second, and polls the future in the
/// storage; unless it is pending afterwards, it has been dropped.
type Start = unsafe fn(NonNull<()>, NonNull<()>, NonNull<Storage>, &mut Context<'_>) -> Polled;

/// Functions for an event type, a handler type, and the type of the future of the two.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    pub(super) start: Start,
    /// Polls the future again; unless it is pending afterwards, it has been dropped.
    pub(super) poll: unsafe fn(NonNull<Storage>, &mut Context<'_>) -> Polled,
    pub(super) drop_future: unsafe fn(NonNull<Storage>),
}

impl Functions {
    /// Takes `EventHandler::handle`, since the type of its future has no name.
    fn new<'a, E, H, F>(_handle: impl FnOnce(&'a H, &'a E) -> F) -> Self
    where
        E: Notification,
        H: EventHandler<E>,
        F: HandlerFuture + 'a,
    {
        if const { Storage::fits::<F>() } {
            Self { start: start::<E, H>, poll: poll::<F>, drop_future: drop_in_place::<F> }
        } else {
            Self { start: start::<E, H>, poll: poll::<Pin<Box<F>>>, drop_future: drop_in_place::<Pin<Box<F>>> }
        }
    }
}

/// Calls the handler with the event and polls the future in `storage`, in a box if it is too large.
///
/// # Safety
///
/// `handler` points to an `H` and `event` to an `E`, both are borrowed until the future is gone.
/// `storage` holds no future and is exclusively borrowed; if the result is `Pending`, it holds what
/// [`Functions`] polls and drops, pinned.
unsafe fn start<E: Notification, H: EventHandler<E>>(
    handler: NonNull<()>,
    event: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: guaranteed by the caller.
    let handler: &H = unsafe { &*(handler.as_ptr() as *const H) };
    // SAFETY: guaranteed by the caller.
    let event: &E = unsafe { &*(event.as_ptr() as *const E) };
    // SAFETY: guaranteed by the caller.
    unsafe { start_future(handler.handle(event), storage, cx) }
}

/// # Safety
///
/// As for [`start`].
#[inline]
unsafe fn start_future<F: HandlerFuture>(future: F, storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    if const { Storage::fits::<F>() } {
        // SAFETY: the storage is large and aligned enough, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut F, future) };
        // SAFETY: an `F` was written just now; that it stays there is guaranteed by the caller.
        unsafe { poll::<F>(storage, cx) }
    } else {
        // SAFETY: the storage is large and aligned enough for a pointer, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut Pin<Box<F>>, Box::pin(future)) };
        // SAFETY: a `Pin<Box<F>>` was written just now; the rest is guaranteed by the caller.
        unsafe { poll::<Pin<Box<F>>>(storage, cx) }
    }
}

/// Polls the `F` in `storage`, and drops it unless it is still pending.
///
/// # Safety
///
/// `storage` holds an `F` that is pinned there and that nobody else accesses. It is gone
/// afterwards, even after a panic, unless the result is `Pending`.
#[inline]
unsafe fn poll<F: HandlerFuture>(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    struct DropOnPanic<F>(*mut F);

    impl<F> Drop for DropOnPanic<F> {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: made from the storage below, whose future is the guard's to drop.
            unsafe { ptr::drop_in_place(self.0) };
        }
    }

    let guard = DropOnPanic(storage.as_ptr() as *mut F);
    // SAFETY: the caller guarantees a valid `F` that is not accessed otherwise.
    let future = unsafe { &mut *guard.0 };
    // SAFETY: the caller guarantees that it is pinned.
    let future = unsafe { Pin::new_unchecked(future) };
    let polled = match future.poll(cx) {
        Poll::Ready(output) => Polled::of(output.into_result()),
        Poll::Pending => Polled::Pending,
    };
    mem::forget(guard);
    if !polled.is_pending() {
        // Not left to the guard: if this panics, an error on its way out would be lost.
        // SAFETY: the future is as it was; it is gone now.
        unsafe { drop_in_place::<F>(storage) };
    }
    polled
}

/// Drops the `F` in `storage`.
///
/// # Safety
///
/// `storage` holds an `F` that nobody else accesses. It is gone afterwards.
#[inline]
unsafe fn drop_in_place<F>(storage: NonNull<Storage>) {
    // SAFETY: guaranteed by the caller.
    unsafe { ptr::drop_in_place(storage.as_ptr() as *mut F) };
}
