//! What can be sent.

use std::any::type_name;
use std::panic::Location;

use crate::errors::send_error::SendError;
use crate::handler::error::{BoxError, boxed};

/// Anything that can be sent: it has one handler, which answers it.
///
/// Implement it by [`#[request]`](macro@crate::request), which says what the answer is, or by hand:
///
/// ```
/// use mediator_core::{SendError, prelude::*};
///
/// struct CountOrders;
///
/// impl Request for CountOrders {
///     type Response = usize;
///     type Error = SendError;
///     type Output = usize;
///
///     fn into_result(output: usize) -> Result<usize, SendError> {
///         Ok(output)
///     }
/// }
/// ```
///
/// A send reaches the handler of exactly this Rust type. Names are for people.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "lacks `#[request]`",
    note = "put `#[request(Answer)]` on the type, or `#[request(Answer, error = Error)]` if its handler can fail",
    note = "a request is sent by value: `send(request)`, not `send(&request)`; an event is published: `publish(event)`"
)]
pub trait Request: Sized + Send + Sync + 'static {
    /// What `send` returns in its `Ok`.
    type Response: Send + 'static;

    /// What `send` returns in its `Err`: the handler's error, which can also say that the mediator failed; or
    /// [`SendError`] alone.
    type Error: RequestError;

    /// What a handler returns: `Result<Response, Error>`, or plain `Response` if it cannot fail.
    type Output;

    /// What `send` returns for what the handler returned.
    ///
    /// # Errors
    ///
    /// The handler's own error.
    fn into_result(output: Self::Output) -> Result<Self::Response, Self::Error>;

    /// The request's own error, if it is the one in the box.
    ///
    /// Behaviors around every message are told of an error in a box, since they do not know its type. What `#[request]` writes
    /// here takes it out again, whatever the behavior has done with it; by default it reaches the sender as
    /// [`SendError::Refused`].
    ///
    /// # Errors
    ///
    /// The box, if there is another error in it.
    fn error_from(error: BoxError) -> Result<Self::Error, BoxError> {
        Err(error)
    }

    /// What an error says with its causes, for those who observe (features `tracing`, `metrics` and `testing`); `None` where that is not known.
    ///
    /// What `#[request]` writes here asks the error if it is an `Error`, or an `anyhow::Error` with the feature of that name.
    #[must_use]
    fn error_text(error: &Self::Error) -> Option<String> {
        let _ = error;
        None
    }

    /// What an answer is, for a recorder (feature `testing`); `None` where that is not known.
    ///
    /// What `#[request]` writes here asks the answer if it is `Debug`.
    #[must_use]
    fn response_text(response: &Self::Response) -> Option<String> {
        let _ = response;
        None
    }

    /// The name that errors and reports show: by default the type's path.
    #[must_use]
    fn request_name() -> &'static str {
        type_name::<Self>()
    }

    /// Where the type is declared, if the macro declared it.
    #[must_use]
    fn declared_at() -> Option<&'static Location<'static>> {
        None
    }
}

/// An error that a request can have: it converts from [`SendError`], and into `Box<dyn Error + Send + Sync>`.
///
/// ```standalone_crate
/// use mediator_core::prelude::*;
///
/// #[derive(Debug, thiserror::Error)]
/// enum OrderError {
///     #[error("{0} is out of stock")]
///     OutOfStock(String),
///     #[error(transparent)]
///     Send(#[from] SendError),
/// }
///
/// #[request(u64, error = OrderError)]
/// struct PlaceOrder { item: String }
/// ```
///
/// An `anyhow::Error` will do as well.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a request",
    label = "not an error that converts from `SendError`",
    note = "a send can also fail without the handler's doing, as by its panic; give the error a variant for that, \
            such as `#[error(transparent)] Send(#[from] SendError)` by `thiserror`",
    note = "and implement `std::error::Error` for it; `anyhow::Error` is an error of a request as it is"
)]
// Without supertraits, of which rustc would speak instead of this one.
pub trait RequestError: Sized + Send + 'static {
    #[doc(hidden)]
    fn of_send(error: SendError) -> Self;

    #[doc(hidden)]
    fn into_box(self) -> BoxError;
}

#[diagnostic::do_not_recommend]
impl<E: From<SendError> + Into<BoxError> + Send + 'static> RequestError for E {
    fn of_send(error: SendError) -> Self {
        Self::from(error)
    }

    fn into_box(self) -> BoxError {
        boxed(self)
    }
}
