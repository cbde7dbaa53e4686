//! What is compiled for each pair of a request and its handler.

use std::alloc::Layout;
use std::any::TypeId;
use std::mem;
use std::ptr::{self, NonNull};
use std::task::Context;

use super::borrow::{Borrow, NotLent};
use super::dispatch::Dispatch;
use super::lent::{BorrowError, Lent};
use super::plan::{Argument, Handles, StaticPlan};
use super::storage::Storage;
use super::vtable::{Compiled, Polled, Settle, Start, kept_layout, start_future};
use crate::errors::send_error::SendError;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
use crate::observe::ended::Told;
use crate::request::info::RequestInfo;
use crate::request::request::{Request, RequestError};
use crate::request::request_handler::{Answer, RequestHandler};
use crate::services::inject::Inject;

/// What the macros make of a function or a method: a handler of a request that may borrow from the send.
// That `R` is a `Request` and that `Returned` answers it is required where the handler is registered; required here as well, a
// mistake would be two errors.
#[doc(hidden)]
pub trait FnRequestHandler<R>: 'static {
    /// What is built of the services: the injected parameters of a function, `Self` of a method.
    type Receiver: Inject + Send + Sync + 'static;

    /// What the function returns.
    type Returned;

    /// What it borrows, in the order of the parameters.
    const BORROWS: &'static [Borrow] = &[];

    /// The future of one call, which keeps what is borrowed.
    ///
    /// # Errors
    ///
    /// When it cannot borrow.
    fn call<'a>(
        receiver: &'a Self::Receiver,
        request: &'a R,
        lent: Lent<'a>,
    ) -> Result<impl Future<Output = Self::Returned> + Send, BorrowError<'a>>;
}

impl StaticPlan {
    pub(crate) const fn of_request<R: Request, H: RequestHandler<R>>() -> Self {
        Self {
            message: Handles::Request(RequestInfo::of::<R>),
            receiver: TypeId::of::<H>,
            identity: TypeId::of::<H>,
            is_shared: true,
            borrows: &[],
            argument: Argument::Message,
            answers: Some(const { &Answers::to::<R>() }),
            compiled: of_handle::<R, H, _>(start::<R, H>, H::handle),
        }
    }

    /// `Item` is the type of the function or method.
    pub(crate) const fn of_request_fn<R, F, Item>() -> Self
    where
        R: Request,
        F: FnRequestHandler<R, Returned: Answer<R, R::Output>>,
        Item: 'static,
    {
        Self {
            message: Handles::Request(RequestInfo::of::<R>),
            receiver: TypeId::of::<F::Receiver>,
            identity: TypeId::of::<Item>,
            is_shared: F::Receiver::__IS_SHARED,
            borrows: F::BORROWS,
            argument: if F::BORROWS.is_empty() { Argument::Message } else { Argument::Dispatch },
            answers: Some(const { &Answers::to::<R>() }),
            compiled: of_call::<R, F, _>(start_fn::<R, F>, F::call),
        }
    }
}

/// Takes `RequestHandler::handle`, since the type of its future has no name.
const fn of_handle<'a, R: Request, H: 'a, F: Future<Output = R::Output> + 'a>(
    start: Start,
    handle: impl FnOnce(&'a H, &'a R) -> F,
) -> Compiled {
    mem::forget(handle);
    Compiled::of_future::<F, AnswerTo<R>>(start)
}

/// Takes `FnRequestHandler::call`, for the same reason.
const fn of_call<'a, R, F, T>(
    start: Start,
    call: impl FnOnce(&'a F::Receiver, &'a R, Lent<'a>) -> Result<T, BorrowError<'a>>,
) -> Compiled
where
    R: Request,
    F: FnRequestHandler<R, Returned: Answer<R, R::Output>>,
    T: Future<Output = F::Returned> + 'a,
{
    mem::forget(call);
    Compiled::of_future::<T, AnswerTo<R>>(start)
}

/// What `send` returns for an `R`.
pub(super) type Answered<R> = Result<<R as Request>::Response, <R as Request>::Error>;

/// Of a request's handler, the answer remains in the storage, as an [`Answered<R>`]; in a box if it is too large.
pub(super) struct AnswerTo<R>(R);

impl<R: Request, T: Answer<R, R::Output>> Settle<T> for AnswerTo<R> {
    const LEFT: Layout = kept_layout::<Answered<R>>();

    const LEAVES_ANSWER: bool = true;

    #[inline]
    unsafe fn settle(output: T, storage: NonNull<Storage>) -> Polled {
        // SAFETY: guaranteed by the caller.
        unsafe { put_answer::<Answered<R>>(R::into_result(output.into_answer()), storage) };
        Polled::Done
    }
}

/// The same of a behavior around a request's handler.
pub(super) struct LeftAnswer<R>(R);

impl<R: Request> Settle<Answered<R>> for LeftAnswer<R> {
    const LEFT: Layout = kept_layout::<Answered<R>>();

    const LEAVES_ANSWER: bool = true;

    unsafe fn settle(answer: Answered<R>, storage: NonNull<Storage>) -> Polled {
        // SAFETY: guaranteed by the caller.
        unsafe { put_answer::<Answered<R>>(answer, storage) };
        Polled::Done
    }
}

/// # Safety
///
/// `storage` has room for an answer, is exclusively borrowed, and holds nothing.
#[inline]
unsafe fn put_answer<A>(answer: A, storage: NonNull<Storage>) {
    if const { Storage::fits::<A>() } {
        // SAFETY: large and aligned enough, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut A, answer) };
    } else {
        // SAFETY: large and aligned enough for a pointer, and exclusively borrowed.
        unsafe { ptr::write(storage.as_ptr() as *mut Box<A>, Box::new(answer)) };
    }
}

/// Takes the answer out, which is an `A`.
///
/// # Safety
///
/// It was put into `storage`, and not taken yet.
#[inline]
pub(super) unsafe fn take_answer<A>(storage: NonNull<Storage>) -> A {
    if const { Storage::fits::<A>() } {
        // SAFETY: written by `put_answer`, and taken once.
        unsafe { ptr::read(storage.as_ptr() as *const A) }
    } else {
        // SAFETY: written by `put_answer`, and taken once.
        *unsafe { ptr::read(storage.as_ptr() as *const Box<A>) }
    }
}

/// What is to be known of the answers to requests of one type where their type is not.
pub(super) struct Answers {
    size: usize,
    is_error: unsafe fn(NonNull<Storage>) -> bool,
    take_error: unsafe fn(NonNull<Storage>) -> BoxError,
    put_error: unsafe fn(NonNull<Storage>, BoxError, HandlerInfo),
    drop: unsafe fn(NonNull<Storage>),
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    told: unsafe fn(NonNull<Storage>) -> Option<Told>,
}

impl Answers {
    pub(super) const fn to<R: Request>() -> Self {
        Self {
            size: kept_layout::<Answered<R>>().size(),
            is_error: is_error::<R::Response, R::Error>,
            take_error: take_error::<R::Response, R::Error>,
            put_error: put_error::<R>,
            drop: drop_answer::<Answered<R>>,
            #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
            told: told::<R>,
        }
    }

    /// How much of a storage an answer takes; it may be moved to another one.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// # Safety
    ///
    /// An answer to a request of this type is in `storage`.
    pub(super) unsafe fn is_error(&self, storage: NonNull<Storage>) -> bool {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.is_error)(storage) }
    }

    /// Takes an answer out that is an error.
    ///
    /// # Safety
    ///
    /// An answer to a request of this type is in `storage`, and is an error. It is gone afterwards, also after a panic.
    pub(super) unsafe fn take_error(&self, storage: NonNull<Storage>) -> BoxError {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.take_error)(storage) }
    }

    /// Answers with an error: the request's own if it is one, or one about the handler or its behaviors.
    ///
    /// # Safety
    ///
    /// `storage` has room for an answer, is exclusively borrowed, and holds nothing.
    #[cold]
    pub(super) unsafe fn put_error(&self, storage: NonNull<Storage>, error: BoxError, handler: HandlerInfo) {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.put_error)(storage, error, handler) }
    }

    /// What an answer says that is an error.
    ///
    /// # Safety
    ///
    /// An answer to a request of this type is in `storage`.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) unsafe fn told(&self, storage: NonNull<Storage>) -> Option<Told> {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.told)(storage) }
    }

    /// # Safety
    ///
    /// An answer to a request of this type is in `storage`. It is gone afterwards.
    pub(super) unsafe fn drop(&self, storage: NonNull<Storage>) {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.drop)(storage) }
    }
}

/// # Safety
///
/// As for [`Answers::is_error`].
unsafe fn is_error<T, E>(storage: NonNull<Storage>) -> bool {
    // SAFETY: guaranteed by the caller.
    unsafe { answer::<Result<T, E>>(storage) }.is_err()
}

/// # Safety
///
/// As for [`Answers::drop`].
unsafe fn drop_answer<A>(storage: NonNull<Storage>) {
    // SAFETY: guaranteed by the caller.
    drop(unsafe { take_answer::<A>(storage) });
}

/// # Safety
///
/// As for [`Answers::take_error`].
unsafe fn take_error<T, E: RequestError>(storage: NonNull<Storage>) -> BoxError {
    // SAFETY: guaranteed by the caller.
    match unsafe { take_answer::<Result<T, E>>(storage) } {
        Err(error) => error.into_box(),
        Ok(_) => unreachable!("asked for before"),
    }
}

/// # Safety
///
/// As for [`Answers::told`].
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
unsafe fn told<R: Request>(storage: NonNull<Storage>) -> Option<Told> {
    // SAFETY: guaranteed by the caller.
    unsafe { answer::<Answered<R>>(storage) }.as_ref().err().map(Told::of::<R>)
}

/// The answer in a storage, an `A`, where it remains.
///
/// # Safety
///
/// It was put into `storage`, and stays there as long as the result is used.
unsafe fn answer<'a, A>(storage: NonNull<Storage>) -> &'a A {
    let answer = if const { Storage::fits::<A>() } {
        storage.as_ptr() as *const A
    } else {
        // SAFETY: written by `put_answer`.
        unsafe { &raw const **(storage.as_ptr() as *const Box<A>) }
    };
    // SAFETY: an answer.
    unsafe { &*answer }
}

/// # Safety
///
/// As for [`Answers::put_error`].
unsafe fn put_error<R: Request>(storage: NonNull<Storage>, error: BoxError, handler: HandlerInfo) {
    // SAFETY: guaranteed by the caller.
    unsafe { put_answer::<Answered<R>>(Err(error_of::<R>(error, handler)), storage) };
}

/// The request's own error if it is the one in the box, or one about the handler or its behaviors.
pub(super) fn error_of<R: Request>(error: BoxError, handler: HandlerInfo) -> R::Error {
    match R::error_from(error) {
        Ok(error) => error,
        Err(error) => R::Error::of_send(of_others(R::request_name(), error, handler)),
    }
}

/// About a handler or its behaviors.
#[cold]
fn of_others(request: &'static str, error: BoxError, handler: HandlerInfo) -> SendError {
    match error.downcast::<NotLent>() {
        Ok(error) => SendError::not_lent(request, handler, error.of_send().to_string()),
        Err(error) => SendError::of_behavior(request, handler, error),
    }
}

/// # Safety
///
/// The invariant of `start` functions, with an `R` as the argument.
unsafe fn start<R: Request, H: RequestHandler<R>>(
    handler: NonNull<()>,
    request: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to an `H`, borrowed.
    let handler: &H = unsafe { &*(handler.as_ptr() as *const H) };
    // SAFETY: points to an `R`, borrowed.
    let request: &R = unsafe { &*(request.as_ptr() as *const R) };
    // SAFETY: the storage is as the invariant says.
    unsafe { start_future::<_, AnswerTo<R>>(handler.handle(request), storage, cx) }
}

/// # Safety
///
/// The invariant of `start` functions, with an `R` as the argument, or with a dispatch of one if the function borrows.
unsafe fn start_fn<R, F>(
    receiver: NonNull<()>,
    argument: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled
where
    R: Request,
    F: FnRequestHandler<R, Returned: Answer<R, R::Output>>,
{
    // SAFETY: points to an `F::Receiver`, borrowed.
    let receiver: &F::Receiver = unsafe { &*(receiver.as_ptr() as *const F::Receiver) };
    let (request, lent) = if const { F::BORROWS.is_empty() } {
        (argument, Lent::NOTHING)
    } else {
        // SAFETY: points to a dispatch, borrowed.
        let dispatch: &Dispatch<'_> = unsafe { &*(argument.as_ptr() as *const Dispatch<'_>) };
        (dispatch.erased_message(), Lent::by(dispatch))
    };
    // SAFETY: points to an `R`, borrowed.
    let request: &R = unsafe { &*(request.as_ptr() as *const R) };
    match F::call(receiver, request, lent) {
        // SAFETY: the storage is as the invariant says.
        Ok(future) => unsafe { start_future::<_, AnswerTo<R>>(future, storage, cx) },
        Err(error) => Polled::Failed(Box::new(error.into())),
    }
}
