//! What is compiled for each pair of a request and its handler.

use std::any::TypeId;
use std::ptr::{self, NonNull};
use std::task::Context;

use super::borrow::Borrow;
use super::dispatch::Dispatch;
use super::lent::{BorrowError, Lent};
use super::storage::Storage;
use super::vtable::{Argument, CallPlan, MessageInfo, Polled, Settle, Start, Vtable, start_future};
use crate::request::info::RequestInfo;
use crate::request::request::Request;
use crate::request::request_handler::{Answer, RequestHandler};
use crate::services::inject::Inject;

/// What the macros make of a function or a method: a handler of a request that may borrow from the send.
// That `R` is a `Request` and that `Returned` answers it is required where the handler is registered; required here as well, a
// mistake would be two errors.
#[doc(hidden)]
pub trait FnRequestHandler<R>: 'static {
    /// What is built from the services: the injected parameters of a function, `Self` of a method.
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

impl CallPlan {
    pub(crate) fn of_request<R: Request, H: RequestHandler<R>>() -> Self {
        let handler = TypeId::of::<H>();
        Self {
            message: MessageInfo::Request(RequestInfo::of::<R>()),
            receiver: handler,
            identity: handler,
            borrows: &[],
            argument: Argument::Message,
            vtable: of_handle::<R, H, _>(start::<R, H>, H::handle),
        }
    }

    /// `Item` is the type of the function or method.
    pub(crate) fn of_request_fn<R, F, Item>() -> Self
    where
        R: Request,
        F: FnRequestHandler<R, Returned: Answer<R, R::Output>>,
        Item: 'static,
    {
        Self {
            message: MessageInfo::Request(RequestInfo::of::<R>()),
            receiver: TypeId::of::<F::Receiver>(),
            identity: TypeId::of::<Item>(),
            borrows: F::BORROWS,
            argument: if F::BORROWS.is_empty() { Argument::Message } else { Argument::Dispatch },
            vtable: of_call::<R, F, _>(start_fn::<R, F>, F::call),
        }
    }
}

/// Takes `RequestHandler::handle`, since the type of its future has no name.
fn of_handle<'a, R: Request, H: 'a, F: Future<Output = R::Output> + 'a>(
    start: Start,
    _handle: impl FnOnce(&'a H, &'a R) -> F,
) -> Vtable {
    Vtable::of_future::<F, AnswerTo<R>>(start)
}

/// Takes `FnRequestHandler::call`, for the same reason.
fn of_call<'a, R, F, T>(
    start: Start,
    _call: impl FnOnce(&'a F::Receiver, &'a R, Lent<'a>) -> Result<T, BorrowError<'a>>,
) -> Vtable
where
    R: Request,
    F: FnRequestHandler<R, Returned: Answer<R, R::Output>>,
    T: Future<Output = F::Returned> + 'a,
{
    Vtable::of_future::<T, AnswerTo<R>>(start)
}

/// Of a request's handler, the answer remains in the storage, as an `R::Output`; in a box if it is too large.
struct AnswerTo<R>(R);

impl<R: Request, T: Answer<R, R::Output>> Settle<T> for AnswerTo<R> {
    #[inline]
    unsafe fn settle(output: T, storage: NonNull<Storage>) -> Polled {
        let answer: R::Output = output.into_answer();
        if const { Storage::fits::<R::Output>() } {
            // SAFETY: the storage is large and aligned enough, and exclusively borrowed.
            unsafe { ptr::write(storage.as_ptr() as *mut R::Output, answer) };
        } else {
            // SAFETY: the storage is large and aligned enough for a pointer, and exclusively borrowed.
            unsafe { ptr::write(storage.as_ptr() as *mut Box<R::Output>, Box::new(answer)) };
        }
        Polled::Done
    }
}

/// Takes the answer out.
///
/// # Safety
///
/// A call of a handler of `R` is `Done` in `storage`, and its answer was not taken yet.
#[inline]
pub(super) unsafe fn take_answer<R: Request>(storage: NonNull<Storage>) -> R::Output {
    if const { Storage::fits::<R::Output>() } {
        // SAFETY: written by `settle`, and taken once.
        unsafe { ptr::read(storage.as_ptr() as *const R::Output) }
    } else {
        // SAFETY: written by `settle`, and taken once.
        *unsafe { ptr::read(storage.as_ptr() as *const Box<R::Output>) }
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
