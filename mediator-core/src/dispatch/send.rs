//! The future behind `Mediator::send`.

use std::any::{Any, TypeId};
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit, replace, transmute};
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use super::borrow::NotLent;
use super::core::{Core, Link};
use super::dispatch::{Dispatch, Message};
use super::lent::Lender;
use super::observed::{Filler, Reports, Seen};
use super::plan::Argument;
use super::request::take_answer;
use super::storage::Storage;
use super::table::HandlerList;
use super::vtable::Polled;
use crate::errors::panics::{discard_panic, discarding_panics};
use crate::errors::send_error::SendError;
use crate::handler::error::BoxError;
use crate::request::request::{Request, RequestError};

/// The future of [`Mediator::send`](crate::Mediator::send): a request on its way to its handler, whose answer `A` is.
///
/// Does nothing until it is awaited. Dropping it cancels: the handler is dropped at the `.await` it is waiting at. Panics when it
/// is polled after it has ended.
///
/// ```standalone_crate
/// use mediator_core::Sending;
/// use mediator_core::prelude::*;
///
/// #[request(usize)]
/// struct CountOrders;
///
/// fn later(sender: &Sender) -> Sending<'_, CountOrders, Result<usize, SendError>> {
///     sender.send(CountOrders)
/// }
/// ```
// By hand what an `async` block would do, as `Publish` is, and for the same reason.
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[repr(C)]
pub struct Sending<'m, R: 'static, A: 'static> {
    run: Run<'m>,
    /// Dropped when the send ends, or with it.
    request: ManuallyDrop<R>,
    request_type: TypeId,
    answering: &'static Answering<A>,
}

// Handlers' panics are caught, and leave nothing of a mediator half-done.
impl<R: UnwindSafe, A: 'static> UnwindSafe for Sending<'_, R, A> {}

impl<'m, R: Request> Sending<'m, R, Result<R::Response, R::Error>> {
    #[inline]
    pub(crate) fn new(link: &'m Link, request: R) -> Self {
        let run = Run {
            room: MaybeUninit::uninit(),
            link,
            kept: ManuallyDrop::new(None),
            seen: ManuallyDrop::new(None),
            stage: Stage::New,
            filler: Filler::default(),
        };
        let request_type = TypeId::of::<R>();
        Self {
            run,
            request: ManuallyDrop::new(request),
            request_type,
            answering: const { &Answering::of_request::<R>() },
        }
    }
}

/// What is to be known of a request's type while it is sent, whose answer is an `A`.
struct Answering<A: 'static> {
    request: Untyped,
    fail: fn(SendError) -> A,
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    tell_end: fn(Seen, &A),
}

/// The same, whatever the answer.
struct Untyped {
    name: fn() -> &'static str,
    /// Makes of a pointer to a request one that knows its type.
    erase: fn(NonNull<()>) -> NonNull<dyn Any + Send + Sync>,
    /// Moves the request out; safe if it is not used again.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    keep: unsafe fn(NonNull<()>) -> Arc<dyn Any + Send + Sync>,
}

impl<T: 'static, E: RequestError> Answering<Result<T, E>> {
    // No closures: each would be compiled with a function that calls it.
    const fn of_request<R: Request<Response = T, Error = E>>() -> Self {
        Self {
            request: Untyped {
                name: R::request_name,
                erase: erase::<R>,
                #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
                // SAFETY: the conditions are the same.
                keep: |request| Arc::new(unsafe { request.cast::<R>().read() }),
            },
            fail,
            #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
            tell_end: Seen::end_send::<R>,
        }
    }
}

fn erase<R: Request>(request: NonNull<()>) -> NonNull<dyn Any + Send + Sync> {
    request.cast::<R>()
}

fn fail<T, E: RequestError>(error: SendError) -> Result<T, E> {
    Err(E::of_send(error))
}

// For any `R`, since the bound of `send` on it is violated where a type is no request, and that would be another error.
impl<R: 'static, A: 'static> Future for Sending<'_, R, A> {
    type Output = A;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A> {
        // SAFETY: the run and the request stay where they are.
        let this = unsafe { self.get_unchecked_mut() };
        let Answering { request, fail, .. } = this.answering;
        let asked =
            Asked { request: NonNull::from(&*this.request).cast(), request_type: this.request_type, untyped: request };
        // SAFETY: pinned with `self`; the request stays where it is and is not changed until the run has ended.
        match unsafe { this.run.poll(&asked, cx) } {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                this.run.release_core();
                // SAFETY: the run has ended just now.
                unsafe { this.drop_request() };
                let storage = this.run.storage();
                // Apart from each other: what is told is copied through memory.
                if this.run.seen.is_none() {
                    // SAFETY: the handler is one of `R`, and is done just now.
                    return Poll::Ready(unsafe { take_answer(storage) });
                }
                // SAFETY: as before.
                Poll::Ready(this.tell_end(unsafe { take_answer(storage) }))
            }
            Poll::Ready(Err(error)) => {
                this.run.release_core();
                // The error tells what was wrong first; a panic of the request's destructor must not take its place.
                // SAFETY: the run has ended just now.
                discarding_panics(|| unsafe { this.drop_request() });
                Poll::Ready(this.tell_end(fail(error)))
            }
        }
    }
}

impl<R: 'static, A: 'static> Sending<'_, R, A> {
    /// Drops the request, unless it is recorded.
    ///
    /// # Safety
    ///
    /// To be called once, when the run has ended.
    #[inline]
    unsafe fn drop_request(&mut self) {
        // SAFETY: nothing borrows the request any more, and it is not used again.
        if !unsafe { Seen::take(&self.run.seen, NonNull::from(&mut self.request).cast()) } {
            // SAFETY: as before.
            unsafe { ManuallyDrop::drop(&mut self.request) };
        }
    }

    /// Tells those who observe how the send has ended.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    #[cold]
    fn tell_end(&mut self, answer: A) -> A {
        if let Some(seen) = self.run.seen.take() {
            (self.answering.tell_end)(seen, &answer);
        }
        answer
    }

    #[cfg(not(any(feature = "tracing", feature = "metrics", feature = "testing")))]
    #[inline(always)]
    fn tell_end(&mut self, answer: A) -> A {
        answer
    }
}

impl<R: 'static, A: 'static> Drop for Sending<'_, R, A> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.run.stage, Stage::Ended) {
            self.run.cancel();
            // SAFETY: the run had not ended before, and has now.
            unsafe { self.drop_request() };
            self.run.seen.take();
        }
    }
}

impl<R: 'static, A: 'static> fmt::Debug for Sending<'_, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

/// A request, whatever its type.
pub(super) struct Asked {
    request: NonNull<()>,
    request_type: TypeId,
    untyped: &'static Untyped,
}

impl Asked {
    pub(super) fn name(&self) -> &'static str {
        (self.untyped.name)()
    }

    /// See [`Untyped`].
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) fn keep(&self) -> unsafe fn(NonNull<()>) -> Arc<dyn Any + Send + Sync> {
        self.untyped.keep
    }
}

/// Memory of a send for what is under way. Reached by raw pointers only, since a future may point into itself.
#[repr(C, align(16))]
struct Room {
    futures: Futures,
    /// What the handler is called with, if it borrows.
    dispatch: Dispatch<'static>,
    /// The list of the only handler, if that is pending.
    handlers: &'static HandlerList,
}

/// Memory for the future of a handler, and for those of behaviors around it; and then for the answer.
type Futures = [Storage; 3];

/// A send, whatever the type of its request.
///
/// The future of the handler borrows the request, the mediator and what is lent. All of that outlives a `Run` that has not
/// ended, which is what `'static` stands for here: the request is beside it, it keeps the mediator or borrows a handle that
/// does, and it borrows the scope that lends.
// Laid out as the `Run` of a publish, and for the same reasons.
#[repr(C)]
struct Run<'m> {
    room: MaybeUninit<Room>,
    link: &'m Link,
    /// The mediator of a weak handle, until the send has ended.
    kept: ManuallyDrop<Option<Arc<Core>>>,
    /// Who observes, from the start of the send until it has ended.
    seen: ManuallyDrop<Option<Seen>>,
    stage: Stage,
    filler: Filler,
}

const _: () = assert!(size_of::<Run<'_>>() == size_of::<Room>() + 4 * size_of::<usize>());

#[derive(Clone, Copy)]
#[repr(usize)]
enum Stage {
    New,
    /// The list of the only handler and its future are in the room.
    Pending,
    /// The request is gone.
    Ended,
}

/// `Ok` when the answer is in the room.
type Sent = Poll<Result<(), SendError>>;

impl Run<'_> {
    #[inline]
    fn storage(&mut self) -> NonNull<Storage> {
        // SAFETY: within the room.
        let futures = unsafe { &raw mut (*self.room.as_mut_ptr()).futures };
        // SAFETY: points to a field.
        unsafe { NonNull::new_unchecked(futures) }.cast()
    }

    /// The list of the pending handler.
    ///
    /// # Safety
    ///
    /// It was put into the room by [`settle`](Self::settle).
    #[inline]
    unsafe fn handlers(&mut self) -> &'static HandlerList {
        // SAFETY: within the room.
        let place = unsafe { &raw const (*self.room.as_ptr()).handlers };
        // SAFETY: guaranteed by the caller.
        unsafe { place.read() }
    }

    /// Calls the handler, or polls its future again. Has ended unless it is pending.
    ///
    /// # Safety
    ///
    /// `self` is pinned. The request is the same always, and stays where it is and is not changed until `self` has ended.
    ///
    /// # Panics
    ///
    /// If the send has ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn poll(&mut self, asked: &Asked, cx: &mut Context<'_>) -> Sent {
        #[cfg(debug_assertions)]
        let _nested = super::depth::Nested::enter(asked.name());
        match replace(&mut self.stage, Stage::Ended) {
            // SAFETY: guaranteed by the caller.
            Stage::New => unsafe { self.start(asked, cx) },
            // SAFETY: the handler is pending in this stage, and its future is pinned with `self`.
            Stage::Pending => unsafe { self.resume(asked, cx) },
            Stage::Ended => panic!("a send was polled again after it had ended"),
        }
    }

    /// # Safety
    ///
    /// As for [`poll`](Self::poll); `self` is new.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn start(&mut self, asked: &Asked, cx: &mut Context<'_>) -> Sent {
        let core = match self.link.core() {
            Some(core) if !cfg!(debug_assertions) => Ok(NonNull::from(core)),
            _ => self.find_core(asked),
        };
        let core: &'static Core = match core {
            // SAFETY: this send or its handle keeps the mediator.
            Ok(core) => unsafe { core.as_ref() },
            Err(error) => return Poll::Ready(Err(error)),
        };
        if core.watch.is_on() {
            // SAFETY: guaranteed by the caller.
            return unsafe { self.start_seen(core, asked, cx) };
        }
        let Some(handlers) = core.requests.handlers_of(asked.request_type) else {
            return Poll::Ready(Err(SendError::no_handler(asked.name())));
        };
        // SAFETY: guaranteed by the caller; these are the handlers of the request's type.
        unsafe { self.start_list(core, handlers, asked, cx) }
    }

    /// Starts with the handlers of the request.
    ///
    /// # Safety
    ///
    /// As for [`lend`](Self::lend).
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn start_list(
        &mut self,
        core: &'static Core,
        handlers: &'static HandlerList,
        asked: &Asked,
        cx: &mut Context<'_>,
    ) -> Sent {
        let argument = match handlers.argument {
            Argument::Message => asked.request,
            // SAFETY: guaranteed by the caller.
            Argument::Dispatch => match unsafe { self.lend(core, handlers, asked) } {
                Ok(dispatch) => dispatch.argument(),
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        let storage = self.storage();
        // SAFETY: a list has handlers.
        let call = unsafe { handlers.cursor().call() };
        // SAFETY: the argument is what the call takes: the request, which is of its type, or a dispatch of it. Both outlive
        // the future, as does the list. The storage is pinned and empty.
        let caught = catch_unwind(AssertUnwindSafe(|| unsafe { call.start(argument, storage, cx) }));
        self.settle(caught, handlers, asked)
    }

    /// Starts a send that is observed.
    ///
    /// # Safety
    ///
    /// As for [`start`](Self::start).
    #[cold]
    unsafe fn start_seen(&mut self, core: &'static Core, asked: &Asked, cx: &mut Context<'_>) -> Sent {
        let seen = Seen::of_send(core, self.link, asked);
        self.seen = ManuallyDrop::new(seen.clone());
        Seen::within(&seen, || match core.requests.handlers_of(asked.request_type) {
            // SAFETY: guaranteed by the caller; these are the handlers of the request's type, or their twin.
            Some(handlers) => unsafe { self.start_list(core, Seen::list(&seen, handlers), asked, cx) },
            None => Poll::Ready(Err(SendError::no_handler(asked.name()))),
        })
    }

    /// # Safety
    ///
    /// As for [`poll`](Self::poll); the handler is pending.
    #[inline(never)]
    unsafe fn resume(&mut self, asked: &Asked, cx: &mut Context<'_>) -> Sent {
        let storage = self.storage();
        // SAFETY: guaranteed by the caller.
        let handlers = unsafe { self.handlers() };
        // SAFETY: a list has handlers.
        let call = unsafe { handlers.cursor().call() };
        // SAFETY: guaranteed by the caller.
        let poll = || Seen::within(&self.seen, || unsafe { call.poll(storage, cx) });
        let caught = catch_unwind(AssertUnwindSafe(poll));
        self.settle(caught, handlers, asked)
    }

    /// The mediator of any handle, and with debug assertions unless sends are nested too deep.
    #[inline(never)]
    fn find_core(&mut self, asked: &Asked) -> Result<NonNull<Core>, SendError> {
        #[cfg(debug_assertions)]
        super::depth::check(asked.name()).map_err(|reason| SendError::too_deep(asked.name(), reason))?;
        if self.link.core().is_none() {
            *self.kept = self.link.upgrade();
        }
        let core = self.kept.as_deref().or_else(|| self.link.core());
        core.map(NonNull::from).ok_or_else(|| SendError::mediator_dropped(asked.name()))
    }

    /// Puts what a borrowing handler is called with where it stays.
    ///
    /// # Safety
    ///
    /// As for [`start`](Self::start); the handlers are those of the request's type.
    #[inline(never)]
    unsafe fn lend(
        &mut self,
        core: &'static Core,
        handlers: &'static HandlerList,
        asked: &Asked,
    ) -> Result<&'static Dispatch<'static>, SendError> {
        // SAFETY: borrowed from `link`, and so outlives `self`.
        let lender = unsafe { transmute::<Lender<'_>, Lender<'static>>(self.link.lender()) };
        let request = (asked.untyped.erase)(asked.request);
        // SAFETY: guaranteed by the caller.
        let request: &'static (dyn Any + Send + Sync) = unsafe { request.as_ref() };
        // SAFETY: kept by `self` until nothing is under way any more.
        let reports = unsafe { transmute::<Reports<'_>, Reports<'static>>(Reports::to(&self.seen)) };
        let dispatch =
            Dispatch::new(core, handlers, Message::Request(request), lender, false, size_of::<Futures>() as u32)
                .reporting(reports);
        // SAFETY: within the room.
        let place = unsafe { &raw mut (*self.room.as_mut_ptr()).dispatch };
        // SAFETY: memory for a dispatch.
        unsafe { place.write(dispatch) };
        // SAFETY: written just now; pinned with `self`, and not written again.
        let dispatch: &'static Dispatch<'static> = unsafe { &*place };
        match dispatch.check_borrows_of_request() {
            None => Ok(dispatch),
            Some(reason) => Err(SendError::not_lent(asked.name(), handlers.infos()[0], reason)),
        }
    }

    /// Notes the result of a poll of the handler.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn settle(&mut self, caught: thread::Result<Polled>, handlers: &'static HandlerList, asked: &Asked) -> Sent {
        match caught {
            Ok(Polled::Done) => Poll::Ready(Ok(())),
            Ok(Polled::Pending) => {
                // SAFETY: within the room.
                let place = unsafe { &raw mut (*self.room.as_mut_ptr()).handlers };
                // SAFETY: memory for the reference.
                unsafe { place.write(handlers) };
                self.stage = Stage::Pending;
                Poll::Pending
            }
            Ok(Polled::Failed(error)) => Poll::Ready(Err(not_lent(handlers, asked, *error))),
            Err(payload) => Poll::Ready(Err(SendError::panicked(asked.name(), handlers.infos()[0], payload))),
        }
    }

    #[cold]
    fn cancel(&mut self) {
        if let Stage::Pending = replace(&mut self.stage, Stage::Ended) {
            let storage = self.storage();
            // SAFETY: put into the room in this stage.
            let handlers = unsafe { self.handlers() };
            // SAFETY: a list has handlers.
            let call = unsafe { handlers.cursor().call() };
            // SAFETY: the future of this call is in the storage in this stage, which is over.
            Seen::within(&self.seen, || unsafe { call.drop_future(storage) }).unwrap_or_else(discard_panic);
        }
        if let Some(seen) = &*self.seen {
            seen.cancel();
        }
        self.release_core();
    }

    /// Lets the mediator go, which may drop it.
    #[inline]
    fn release_core(&mut self) {
        if self.kept.is_some() {
            self.release_kept_core();
        }
    }

    #[cold]
    fn release_kept_core(&mut self) {
        let core = self.kept.take();
        discarding_panics(|| drop(core));
    }
}

/// The handler could borrow when that was checked, and another thread was faster.
#[cold]
fn not_lent(handlers: &HandlerList, asked: &Asked, error: BoxError) -> SendError {
    let reason =
        error.downcast::<NotLent>().map_or_else(|error| error.to_string(), |error| error.of_send().to_string());
    SendError::not_lent(asked.name(), handlers.infos()[0], reason)
}
