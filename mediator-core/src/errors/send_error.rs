//! Why a send failed, other than by the handler's own error.

use std::any::Any;
use std::error::Error;
use std::fmt;

use super::chain::{Told, write_all};
use super::panics::{OneLine, PanicPayload};
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;

/// Why there is no answer to a request, other than its handler's own error.
///
/// The error of a request [converts from it](crate::RequestError); of a request without an error of its own, it is the error.
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[request(u32)]
/// struct Divide { a: u32, b: u32 }
///
/// #[request_handler]
/// fn divide(request: &Divide) -> u32 {
///     request.a / request.b
/// }
///
/// let mediator = Mediator::builder().without_discovery().bind_fn(divide).build()?;
/// let error = futures::executor::block_on(mediator.send(Divide { a: 1, b: 0 })).unwrap_err();
/// assert!(matches!(error, SendError::Panicked(_)));
/// assert_eq!(error.panic_message(), Some("attempt to divide by zero"));
/// assert!(error.request_name().ends_with("::Divide"));
/// println!("{error}, see {}", error.handler().unwrap().location());
/// # Ok::<(), BuildError>(())
/// ```
///
/// What a behavior refused or failed with is its [`source`](Error::source), which `{}` leaves out, as usual; `{:#}` and `Debug` say
/// everything. The others have none.
#[non_exhaustive]
pub enum SendError {
    /// The handler panicked: [`panic_message`](Self::panic_message).
    Panicked(SendFailure),
    /// Nobody handles the request in this mediator.
    NoHandler(SendFailure),
    /// The handler borrows what the send does not lend; it was not called.
    NotLent(SendFailure),
    /// A behavior [refused](crate::Call::refuse) to let the handler run, or returned an error that is not the request's own: its
    /// `source`.
    Refused(SendFailure),
    /// Sends and publishes are nested deeper than handlers that call each other by mistake would stop at; only with debug
    /// assertions. The handler was not called.
    TooDeep(SendFailure),
    /// The mediator was dropped before a weak handle was used, or is not built yet.
    MediatorDropped(SendFailure),
}

/// What a [`SendError`] knows, and tells by its methods.
// Boxed, so that the result of a send is small.
pub struct SendFailure(Box<Details>);

struct Details {
    request_name: &'static str,
    handler: Option<HandlerInfo>,
    cause: Cause,
}

enum Cause {
    Behavior(BoxError),
    Panic(PanicPayload),
    Reason(String),
}

impl SendFailure {
    fn new(request_name: &'static str, handler: Option<HandlerInfo>, cause: Cause) -> Self {
        Self(Box::new(Details { request_name, handler, cause }))
    }

    fn of_send(request_name: &'static str, reason: &str) -> Self {
        Self::new(request_name, None, Cause::Reason(reason.to_owned()))
    }
}

impl SendError {
    #[cold]
    pub(crate) fn panicked(request_name: &'static str, handler: HandlerInfo, payload: Box<dyn Any + Send>) -> Self {
        let cause = Cause::Panic(PanicPayload::new(payload));
        Self::Panicked(SendFailure::new(request_name, Some(handler), cause))
    }

    #[cold]
    pub(crate) fn no_handler(request_name: &'static str) -> Self {
        let reason = "nobody handles it; register a handler, or link the crate that does, by `link_modules!()` or \
                      `use the_crate as _;`";
        Self::NoHandler(SendFailure::of_send(request_name, reason))
    }

    #[cold]
    pub(crate) fn not_lent(request_name: &'static str, handler: HandlerInfo, reason: String) -> Self {
        Self::NotLent(SendFailure::new(request_name, Some(handler), Cause::Reason(reason)))
    }

    /// Of an error that a behavior has returned, or the `SendError` that it is.
    #[cold]
    pub(crate) fn of_behavior(request_name: &'static str, handler: HandlerInfo, error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::Refused(SendFailure::new(request_name, Some(handler), Cause::Behavior(error))),
        }
    }

    #[cfg(debug_assertions)]
    #[cold]
    pub(crate) fn too_deep(request_name: &'static str, reason: String) -> Self {
        Self::TooDeep(SendFailure::new(request_name, None, Cause::Reason(reason)))
    }

    #[cold]
    pub(crate) fn mediator_dropped(request_name: &'static str) -> Self {
        let reason = "the mediator was dropped, or is still being built; keep it, or a strong handle of it, for as long as \
                      handlers send";
        Self::MediatorDropped(SendFailure::of_send(request_name, reason))
    }

    fn details(&self) -> &Details {
        match self {
            Self::Panicked(failure)
            | Self::NoHandler(failure)
            | Self::NotLent(failure)
            | Self::Refused(failure)
            | Self::TooDeep(failure)
            | Self::MediatorDropped(failure) => &failure.0,
        }
    }

    /// The name of the request.
    #[must_use]
    pub fn request_name(&self) -> &'static str {
        self.details().request_name
    }

    /// The handler, if the send got as far as that.
    #[must_use]
    pub fn handler(&self) -> Option<&HandlerInfo> {
        self.details().handler.as_ref()
    }

    /// The message of the handler's panic, if it panicked.
    #[must_use]
    pub fn panic_message(&self) -> Option<&str> {
        self.panic_payload().map(PanicPayload::message)
    }

    /// What the handler panicked with, if it panicked.
    #[must_use]
    pub fn panic_payload(&self) -> Option<&PanicPayload> {
        match &self.details().cause {
            Cause::Panic(payload) => Some(payload),
            Cause::Behavior(_) | Cause::Reason(_) => None,
        }
    }

    /// What the handler panicked with, for [`resume_unwind`](std::panic::resume_unwind).
    #[must_use]
    pub fn into_panic(self) -> Option<Box<dyn Any + Send>> {
        let Self::Panicked(SendFailure(details)) = self else { return None };
        match details.cause {
            Cause::Panic(payload) => Some(payload.into_inner()),
            Cause::Behavior(_) | Cause::Reason(_) => None,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { request_name, handler, cause } = self.details();
        write!(f, "sending `{request_name}` failed: ")?;
        match (handler, cause) {
            (Some(handler), Cause::Behavior(error)) => {
                write!(f, "a behavior around handler {handler} has failed")?;
                if f.alternate() { write_after(f, &**error) } else { Ok(()) }
            }
            (None, Cause::Behavior(_)) => f.write_str("a behavior has failed"),
            (Some(handler), Cause::Panic(payload)) => {
                write!(f, "handler {handler} panicked: {}", OneLine(payload.message()))
            }
            (Some(handler), Cause::Reason(reason)) => {
                write!(f, "handler {handler} was not called: {}", OneLine(reason))
            }
            (None, Cause::Panic(payload)) => write!(f, "the handler panicked: {}", OneLine(payload.message())),
            (None, Cause::Reason(reason)) => write!(f, "{}", OneLine(reason)),
        }
    }
}

fn write_after(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    f.write_str(": ")?;
    write_all(f, error, &mut Told::new())
}

/// As `{:#}`.
impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.details().cause {
            Cause::Behavior(error) => Some(&**error),
            Cause::Panic(_) | Cause::Reason(_) => None,
        }
    }
}
