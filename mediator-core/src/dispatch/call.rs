//! What a behavior is called with.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::{PhantomData, PhantomPinned};
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use super::dispatch::{self, Dispatch};
use super::lent::{Lend, Values};
use super::passage::{BehaviorPlan, Level, Passage, resume};
use super::request::{LeftAnswer, error_of, take_answer};
use super::storage::Storage;
use super::vtable::{Compiled, FailureOnly, Polled, Settle, Start, start_future};
use crate::behavior::behavior::{Behavior, Outcome};
use crate::behavior::message::{AnyMessage, AnyRequest, Message};
use crate::errors::refused::Refused;
use crate::errors::send_error::SendError;
use crate::event::dynamic::DynNotification;
use crate::event::notification::Notification;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
use crate::request::request::{Request, RequestError};

/// One call of a handler, as the behaviors around it see it: what is handled, by whom, and how to go on.
///
/// Each handler has a passage of its own through the behaviors around it; [`run`](Self::run) runs the rest of it.
///
/// ```standalone_crate
/// use mediator_core::prelude::*;
///
/// #[derive(Inject)]
/// struct Trace;
///
/// impl Behavior for Trace {
///     async fn handle(&self, mut call: Call<'_>) -> Outcome {
///         println!("{} comes to {}", call.name(), call.handler().name());
///         call.run().await
///     }
/// }
/// ```
pub struct Call<'a, M = AnyMessage> {
    /// The future at `level` of it has this.
    passage: Passage<'a>,
    level: usize,
    /// Invariant in `M`: the result of a run is read as an `Outcome<M>`, which of a subtype is another type.
    _message: PhantomData<fn(M) -> M>,
}

// SAFETY: what is shared of a passage is `Sync`, and the rest is reached only by futures that are borrowed exclusively.
unsafe impl<M> Send for Call<'_, M> {}
// SAFETY: a shared `Call` reaches only what is shared of a passage, which is `Sync`.
unsafe impl<M> Sync for Call<'_, M> {}

impl<'a, M> Call<'a, M> {
    fn dispatch(&self) -> &'a Dispatch<'a> {
        self.passage.dispatch()
    }

    fn behavior(&self) -> HandlerInfo {
        self.passage.chain().behavior(self.level)
    }

    /// The name of the event or the request.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.passage.chain().request() {
            Some(request) => request.name(),
            None => self.dispatch().event().event_name(),
        }
    }

    /// The handler that this is around.
    #[must_use]
    pub fn handler(&self) -> &'a HandlerInfo {
        &self.passage.chain().info
    }

    /// The event, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<&'a dyn DynNotification> {
        match self.dispatch().message() {
            dispatch::Message::Event(event) => Some(event),
            dispatch::Message::Request(_) => None,
        }
    }

    /// Whether a `T` is lent here: by the publish or send, by one around it, or by a behavior that this one is within.
    ///
    /// A behavior that lends a transaction leaves one alone that is lent already.
    #[must_use]
    pub fn lends<T: ?Sized + 'static>(&self) -> bool {
        self.dispatch().lender().lends(&TypeId::of::<T>())
    }

    /// Whether the handler borrows a `&mut` that is lent here already, and not only by a behavior inside.
    ///
    /// What the handler writes through it is not undone by running it again: a behavior that retries leaves such a handler
    /// alone, as [`Retry`](crate::Retry) does.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// struct Again;
    ///
    /// impl Behavior for Again {
    ///     async fn handle(&self, mut call: Call<'_>) -> Outcome {
    ///         match call.run().await {
    ///             Err(_) if !call.borrows_exclusively() => call.run().await,
    ///             outcome => outcome,
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn borrows_exclusively(&self) -> bool {
        let lender = self.dispatch().lender();
        let mut borrows = self.passage.chain().borrows.iter().filter(|borrow| borrow.exclusive);
        borrows.any(|borrow| lender.lends_exclusively(&borrow.type_id()))
    }
}

impl<'a, M: Message> Call<'a, M> {
    /// The event or the request; without its type, for a behavior around every message.
    #[must_use]
    pub fn message(&self) -> &'a View<M> {
        M::Kind::view(self.dispatch().message())
    }

    /// Runs the rest of the passage: the behaviors inside this one, and the handler.
    ///
    /// Called again, it runs them again: a retry. Not called, none of them runs, and what the behavior returns is the result. What
    /// a first run wrote through a lent `&mut` is not undone by a second: open a savepoint.
    ///
    /// A panic of the handler passes through. Dropped before it has ended, it drops what is inside.
    ///
    /// # Errors
    ///
    /// The handler's, or that of a behavior inside.
    // By hand what an `async` block would do, since its future must fit in place.
    pub fn run(&mut self) -> impl Future<Output = Outcome<M>> + Send + use<'_, 'a, M> {
        Run { call: self, progress: Progress::New }
    }

    /// Lends a value to the rest of the passage, when that is [run](Lending::run).
    ///
    /// A behavior declares what it lends, `#[behavior(lends(&mut Connection))]`, so that a publish need not lend it.
    pub fn with<'c, L: Lend<'c>>(&'c mut self, value: L) -> Lending<'c, 'a, M> {
        // SAFETY: the passage, which is borrowed for longer than `'c`, has not ended before its dispatch.
        let values = unsafe { Values::within(self.dispatch().lender(), value.into_value()) };
        Lending { call: self, values }
    }

    /// The outcome of a refusal: the handler does not run, for this reason.
    ///
    /// Of an event, the handler has failed; a request fails with [`SendError::Refused`].
    ///
    /// # Errors
    ///
    /// Always.
    pub fn refuse(&self, reason: impl Into<BoxError>) -> Outcome<M> {
        M::Kind::refused(self.name(), *self.handler(), Refused::new(self.behavior(), reason.into()))
    }

    /// An error, as the message has it.
    #[cfg(feature = "tokio")]
    pub(crate) fn error_of(&self, error: BoxError) -> M::Error {
        M::Kind::error_of(error, *self.handler())
    }
}

impl<M> fmt::Debug for Call<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, handler) = (self.name(), self.handler());
        f.debug_struct("Call").field("name", &name).field("handler", handler).finish_non_exhaustive()
    }
}

/// How far a run has got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    Started,
    Ended,
}

impl Progress {
    /// Notes that it is started, and says whether it was.
    ///
    /// # Panics
    ///
    /// If it has ended.
    #[inline]
    fn start(&mut self) -> bool {
        assert!(*self != Self::Ended, "a run was polled again after it had ended");
        mem::replace(self, Self::Started) == Self::Started
    }
}

/// The future of `Call::run`.
struct Run<'c, 'a, M> {
    call: &'c mut Call<'a, M>,
    progress: Progress,
}

impl<M: Message> Future for Run<'_, '_, M> {
    type Output = Outcome<M>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<M>> {
        let started = self.progress.start();
        let Call { passage, level, .. } = *self.call;
        // SAFETY: the future at the level polls this; if it was started, it is in the same passage.
        let polled = unsafe { step::<M>(passage, level, passage, started, cx) };
        if polled.is_ready() {
            self.progress = Progress::Ended;
        }
        polled
    }
}

impl<M> Drop for Run<'_, '_, M> {
    #[inline]
    fn drop(&mut self) {
        let Call { passage, level, .. } = *self.call;
        // Also an answer that a behavior inside has not passed on.
        if self.progress == Progress::Started {
            resume(passage.clear_from(level + 1));
        }
    }
}

/// Starts or polls in `inside` what is within `level` of a passage, through the same chain.
///
/// # Safety
///
/// Called by the future at `level`, always with the same passages.
///
/// # Panics
///
/// If it is started and is not pending any more.
unsafe fn step<M: Message>(
    passage: Passage<'_>,
    level: usize,
    inside: Passage<'_>,
    started: bool,
    cx: &mut Context<'_>,
) -> Poll<Outcome<M>> {
    let inner = level + 1;
    let polled = if started {
        assert!(inside.is_pending(inner), "a run whose handler has panicked was polled again");
        // SAFETY: it is pending.
        unsafe { inside.poll(inner, cx) }
    } else {
        // What an earlier run has left.
        resume(passage.clear_from(inner));
        // SAFETY: nothing is in these frames.
        unsafe { inside.start(inner, cx) }
    };
    if polled.is_pending() {
        return Poll::Pending;
    }
    // SAFETY: not pending any more.
    Poll::Ready(unsafe { M::Kind::outcome(inside, inner, polled) })
}

/// A [`Call`] with what a behavior lends to the rest of the passage.
#[must_use = "lends nothing until it is run"]
pub struct Lending<'c, 'a, M> {
    call: &'c mut Call<'a, M>,
    values: Values,
}

impl<'c, 'a, M: Message> Lending<'c, 'a, M> {
    /// Lends one more value.
    pub fn with<L: Lend<'c>>(mut self, value: L) -> Self {
        self.values.push(value.into_value());
        self
    }

    /// Runs the rest of the passage with what is lent; see [`Call::run`].
    ///
    /// Unlike that, it takes an allocation.
    ///
    /// # Errors
    ///
    /// The handler's, or that of a behavior inside.
    pub fn run(self) -> impl Future<Output = Outcome<M>> + Send + use<'c, 'a, M> {
        RunLending {
            progress: Progress::New,
            inside: None,
            dispatch: MaybeUninit::uninit(),
            values: self.values,
            call: self.call,
            _pinned: PhantomPinned,
        }
    }
}

impl<M> fmt::Debug for Lending<'_, '_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lending").field("call", &self.call).finish_non_exhaustive()
    }
}

/// The future of `Lending::run`.
pub(super) struct RunLending<'c, 'a, M> {
    progress: Progress,
    /// Of the rest, until it has ended: in memory of its own, since what it borrows does not outlive this.
    inside: Option<Passage<'static>>,
    /// Of `inside`, which borrows it; borrows `values`.
    dispatch: MaybeUninit<Dispatch<'static>>,
    values: Values,
    call: &'c mut Call<'a, M>,
    _pinned: PhantomPinned,
}

// SAFETY: as `Call`; the rest is `Send`.
unsafe impl<M> Send for RunLending<'_, '_, M> {}

impl<M> RunLending<'_, '_, M> {
    /// Makes the passage of the rest.
    ///
    /// # Safety
    ///
    /// `self` is pinned, and there was none before.
    unsafe fn enter(&mut self) -> Passage<'static> {
        let values = NonNull::from(&self.values);
        // SAFETY: pinned with `self`, not changed any more, and the dispatch is used only by `inside`, which `self` drops.
        let values: &'static Values = unsafe { values.as_ref() };
        // SAFETY: the passage of the call, and what it borrows, outlives `self`, and with it `inside`.
        let outer = unsafe { mem::transmute::<Passage<'_>, Passage<'static>>(self.call.passage) };
        self.dispatch.write(outer.dispatch().lending(values));
        let dispatch = NonNull::from(&mut self.dispatch).cast::<Dispatch<'static>>();
        // SAFETY: written just now, and pinned with `self`.
        let dispatch: &'static Dispatch<'static> = unsafe { dispatch.as_ref() };
        // SAFETY: `leave` frees it.
        let inside = unsafe { outer.within(dispatch) };
        self.inside = Some(inside);
        inside
    }

    /// Drops what is inside, and the passage.
    fn leave(&mut self) {
        if let Some(inside) = self.inside.take() {
            let panic = inside.clear_from(0);
            // SAFETY: it is made by `within`, and its frames are empty.
            unsafe { inside.free() };
            resume(panic);
        }
    }
}

impl<M: Message> Future for RunLending<'_, '_, M> {
    type Output = Outcome<M>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<M>> {
        // SAFETY: what is borrowed of `self` stays where it is.
        let this = unsafe { self.get_unchecked_mut() };
        let started = this.progress.start();
        let inside = match this.inside {
            Some(inside) => inside,
            // SAFETY: pinned, and there is none: it is new.
            None => unsafe { this.enter() },
        };
        let Call { passage, level, .. } = *this.call;
        // SAFETY: the future at the level polls this, with the passage that it has entered.
        let polled = unsafe { step::<M>(passage, level, inside, started, cx) };
        if polled.is_ready() {
            this.progress = Progress::Ended;
            inside.move_answer_to(passage);
            this.leave();
        }
        polled
    }
}

impl<M> Drop for RunLending<'_, '_, M> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What a behavior of `M` sees of the message.
type View<M> = <<M as Message>::Kind as MessageKind<M>>::View;

/// Events, requests, or all of them: what a behavior is told of them, and what it returns.
#[doc(hidden)]
#[allow(private_interfaces)]
pub trait MessageKind<M: Message>: 'static {
    type View: ?Sized + Send + Sync;

    fn view(message: dispatch::Message<'_>) -> &Self::View;

    fn plan<B: Behavior<M>>() -> BehaviorPlan
    where
        M: Message<Kind = Self>;

    /// What a behavior is told of what is inside it, at `level`.
    ///
    /// # Safety
    ///
    /// The passage is of an `M`; what is at the level has just come to this, and is not pending.
    unsafe fn outcome(passage: Passage<'_>, level: usize, polled: Polled) -> Outcome<M>;

    fn refused(name: &'static str, handler: HandlerInfo, refused: Refused) -> Outcome<M>;

    fn error_of(error: BoxError, handler: HandlerInfo) -> M::Error;

    fn into_box(error: M::Error) -> BoxError;
}

/// Of an event.
#[doc(hidden)]
#[derive(Debug)]
pub enum OfEvent {}

/// Of a request.
#[doc(hidden)]
#[derive(Debug)]
pub enum OfRequest {}

/// Of every message.
#[doc(hidden)]
#[derive(Debug)]
pub enum OfAny {}

#[allow(private_interfaces)]
impl<E> MessageKind<E> for OfEvent
where
    E: Notification + Message<Response = (), Error = BoxError>,
{
    type View = E;

    fn view(message: dispatch::Message<'_>) -> &E {
        match message {
            dispatch::Message::Event(event) => event.downcast_ref().expect("an event of this type"),
            dispatch::Message::Request(_) => unreachable!("a request is no event"),
        }
    }

    fn plan<B: Behavior<E>>() -> BehaviorPlan
    where
        E: Message<Kind = Self>,
    {
        plan::<E, B, FailureOnly, _>(Some(TypeId::of::<E>()), E::event_name(), B::handle)
    }

    #[inline]
    unsafe fn outcome(_passage: Passage<'_>, _level: usize, polled: Polled) -> Result<(), BoxError> {
        to_result(polled)
    }

    fn refused(_name: &'static str, _handler: HandlerInfo, refused: Refused) -> Result<(), BoxError> {
        Err(Box::new(refused))
    }

    fn error_of(error: BoxError, _handler: HandlerInfo) -> BoxError {
        error
    }

    fn into_box(error: BoxError) -> BoxError {
        error
    }
}

#[allow(private_interfaces)]
impl<R> MessageKind<R> for OfRequest
where
    R: Request + Message<Response = <R as Request>::Response, Error = <R as Request>::Error>,
{
    type View = R;

    fn view(message: dispatch::Message<'_>) -> &R {
        as_request(message)
    }

    fn plan<B: Behavior<R>>() -> BehaviorPlan
    where
        R: Message<Kind = Self>,
    {
        plan::<R, B, LeftAnswer<R>, _>(Some(TypeId::of::<R>()), R::request_name(), B::handle)
    }

    unsafe fn outcome(passage: Passage<'_>, level: usize, _polled: Polled) -> Outcome<R> {
        // SAFETY: guaranteed by the caller.
        unsafe { answer_in::<R>(passage, level) }
    }

    fn refused(name: &'static str, handler: HandlerInfo, refused: Refused) -> Outcome<R> {
        Err(refusal::<R>(name, handler, refused))
    }

    fn error_of(error: BoxError, handler: HandlerInfo) -> <R as Request>::Error {
        error_of::<R>(error, handler)
    }

    fn into_box(error: <R as Request>::Error) -> BoxError {
        error.into_box()
    }
}

/// As of a request whose macro has made a message of it.
#[allow(private_interfaces)]
impl<R: Request> MessageKind<AnyRequest<R>> for OfRequest {
    type View = R;

    fn view(message: dispatch::Message<'_>) -> &R {
        as_request(message)
    }

    fn plan<B: Behavior<AnyRequest<R>>>() -> BehaviorPlan {
        plan::<AnyRequest<R>, B, LeftAnswer<R>, _>(Some(TypeId::of::<R>()), R::request_name(), B::handle)
    }

    unsafe fn outcome(passage: Passage<'_>, level: usize, _polled: Polled) -> Outcome<AnyRequest<R>> {
        // SAFETY: guaranteed by the caller.
        unsafe { answer_in::<R>(passage, level) }
    }

    fn refused(name: &'static str, handler: HandlerInfo, refused: Refused) -> Outcome<AnyRequest<R>> {
        Err(refusal::<R>(name, handler, refused))
    }

    fn error_of(error: BoxError, handler: HandlerInfo) -> R::Error {
        error_of::<R>(error, handler)
    }

    fn into_box(error: R::Error) -> BoxError {
        error.into_box()
    }
}

fn as_request<R: Request>(message: dispatch::Message<'_>) -> &R {
    match message {
        dispatch::Message::Request(request) => request.downcast_ref().expect("a request of this type"),
        dispatch::Message::Event(_) => unreachable!("an event is no request"),
    }
}

/// Takes the answer of what is at `level`.
///
/// # Safety
///
/// The passage is of an `R`; what is at the level knows that, has just come to an end, and its answer is not taken yet.
unsafe fn answer_in<R: Request>(passage: Passage<'_>, level: usize) -> Result<R::Response, R::Error> {
    // SAFETY: what is inside a behavior of a request knows the request, and has answered.
    let answer = unsafe { passage.give_answer(level) };
    // SAFETY: an answer to an `R`, taken once.
    unsafe { take_answer::<Result<R::Response, R::Error>>(answer) }
}

fn refusal<R: Request>(name: &'static str, handler: HandlerInfo, refused: Refused) -> R::Error {
    R::Error::of_send(SendError::of_behavior(name, handler, Box::new(refused)))
}

#[allow(private_interfaces)]
impl MessageKind<AnyMessage> for OfAny {
    type View = dyn Any + Send + Sync;

    fn view(message: dispatch::Message<'_>) -> &Self::View {
        match message {
            dispatch::Message::Event(event) => event.as_any(),
            dispatch::Message::Request(request) => request,
        }
    }

    fn plan<B: Behavior>() -> BehaviorPlan {
        plan::<AnyMessage, B, FailureOnly, _>(None, "any message", B::handle)
    }

    #[inline]
    unsafe fn outcome(passage: Passage<'_>, level: usize, polled: Polled) -> Result<(), BoxError> {
        match polled {
            Polled::Done if passage.is_empty() => Ok(()),
            polled => outcome_of_any(passage, level, polled),
        }
    }

    fn refused(_name: &'static str, _handler: HandlerInfo, refused: Refused) -> Result<(), BoxError> {
        Err(Box::new(refused))
    }

    fn error_of(error: BoxError, _handler: HandlerInfo) -> BoxError {
        error
    }

    fn into_box(error: BoxError) -> BoxError {
        error
    }
}

/// What a behavior around every message is told of what is inside it, at `level`, and not pending.
#[inline(never)]
fn outcome_of_any(passage: Passage<'_>, level: usize, polled: Polled) -> Result<(), BoxError> {
    if let Some(error) = passage.take_error(level) {
        return Err(error);
    }
    let result = to_result(polled);
    if result.is_err() {
        // The answer of a handler, which a behavior inside has not passed on.
        resume(passage.clear_from(level));
    }
    result
}

#[inline]
fn to_result(polled: Polled) -> Result<(), BoxError> {
    match polled {
        Polled::Failed(error) => Err(*error),
        Polled::Done | Polled::Pending => Ok(()),
    }
}

/// Takes `Behavior::handle`, since the type of its future has no name.
fn plan<'a, M: Message, B: Behavior<M>, S: Settle<Outcome<M>>, F: Future<Output = Outcome<M>> + 'a>(
    message: Option<TypeId>,
    message_name: &'static str,
    _handle: impl FnOnce(&'a B, Call<'a, M>) -> F,
) -> BehaviorPlan {
    let start: Start = start::<M, B, S>;
    BehaviorPlan {
        message,
        message_name,
        is_of_request: S::LEAVES_ANSWER,
        behavior: TypeId::of::<B>(),
        compiled: Compiled::of_future::<F, S>(start),
    }
}

/// # Safety
///
/// The invariant of `start` functions, with a level of a `B` as the handler and the passage that it is in as the argument.
unsafe fn start<M: Message, B: Behavior<M>, S: Settle<Outcome<M>>>(
    level: NonNull<()>,
    passage: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to a level, borrowed.
    let level: &Level = unsafe { level.cast().as_ref() };
    // SAFETY: points to a `B`, borrowed.
    let behavior: &B = unsafe { level.receiver.cast().as_ref() };
    // SAFETY: points to a passage that outlives the future.
    let passage = unsafe { Passage::of(passage) };
    let call = Call { passage, level: level.index, _message: PhantomData };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, S>(behavior.handle(call), storage, cx) }
}
