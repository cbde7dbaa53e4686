//! What a behavior can be around.

use std::marker::PhantomData;

use crate::dispatch::{MessageKind, OfAny, OfEvent, OfRequest};
use crate::event::notification::Notification;
use crate::handler::error::BoxError;
use crate::request::request::Request;

/// What is handled: an event, a request, or [any of them](AnyMessage).
///
/// Every [`Notification`] is one, and `#[request]` makes one of a request. It says what a
/// [`Behavior`](crate::Behavior) around its handlers returns: [`Outcome`](crate::Outcome).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a request",
    label = "lacks `#[event]` or `#[request]`",
    note = "a behavior around the handlers of one message names it, as in `#[behavior(PlaceOrder)]` and \
            `impl Behavior<PlaceOrder> for …`; one around all handlers names none"
)]
pub trait Message: Sized + 'static {
    /// The result when all is well: the answer to a request, nothing of an event.
    type Response;

    /// The result otherwise: the error of a request, or that of an event's handler.
    type Error: Send + 'static;

    #[doc(hidden)]
    type Kind: MessageKind<Self>;
}

#[diagnostic::do_not_recommend]
impl<E: Notification> Message for E {
    type Response = ();
    type Error = BoxError;
    type Kind = OfEvent;
}

/// Every event and every request: what a behavior is around that names none.
#[derive(Debug)]
pub enum AnyMessage {}

impl Message for AnyMessage {
    type Response = ();
    type Error = BoxError;
    type Kind = OfAny;
}

/// An `R`, for what its handler's own options put around it: every request will do, one without a macro, too.
pub(crate) struct AnyRequest<R>(PhantomData<R>);

impl<R: Request> Message for AnyRequest<R> {
    type Response = <R as Request>::Response;
    type Error = <R as Request>::Error;
    type Kind = OfRequest;
}
