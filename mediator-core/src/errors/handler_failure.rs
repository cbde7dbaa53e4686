//! How one handler failed.

use std::any::Any;
use std::error::Error;
use std::fmt;

use super::chain::{self, Told};
use super::panics::{OneLine, PanicPayload};
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;

/// One handler's failure: its error, or its panic.
///
/// `Display` names the handler and its place, and says what it panicked with; an error is the [`source`](Error::source).
/// `{:#}` adds the error and its causes.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// fn ship(_event: &OrderPlaced) {
///     panic!("out of boxes");
/// }
///
/// let mediator = Mediator::builder().without_discovery().bind_fn(ship).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// let failure = &error.failures()[0];
/// assert_eq!(failure.panic_message(), Some("out of boxes"));
/// assert!(failure.error().is_none());
/// # Ok::<(), BuildError>(())
/// ```
pub struct HandlerFailure {
    handler: HandlerInfo,
    cause: Cause,
}

enum Cause {
    Error(BoxError),
    Panic(PanicPayload),
}

/// The error or the panic that a handler was stopped by.
pub(crate) type Caught = std::thread::Result<Box<BoxError>>;

impl HandlerFailure {
    pub(crate) fn new(handler: HandlerInfo, caught: Caught) -> Self {
        let cause = match caught {
            Ok(error) => Cause::Error(*error),
            Err(payload) => Cause::Panic(PanicPayload::new(payload)),
        };
        Self { handler, cause }
    }

    /// The handler that failed.
    #[must_use]
    pub fn handler(&self) -> &HandlerInfo {
        &self.handler
    }

    /// The name of the handler that failed.
    #[must_use]
    pub fn handler_name(&self) -> &'static str {
        self.handler.name()
    }

    /// Where that handler is registered.
    #[must_use]
    pub fn location(&self) -> &'static std::panic::Location<'static> {
        self.handler.location()
    }

    /// The error it returned; `None` if it panicked.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.cause {
            Cause::Error(error) => Some(&**error),
            Cause::Panic(_) => None,
        }
    }

    /// The message of its panic; `None` if it returned an error.
    #[must_use]
    pub fn panic_message(&self) -> Option<&str> {
        self.panic_payload().map(PanicPayload::message)
    }

    /// What it panicked with; `None` if it returned an error.
    #[must_use]
    pub fn panic_payload(&self) -> Option<&PanicPayload> {
        match &self.cause {
            Cause::Error(_) => None,
            Cause::Panic(payload) => Some(payload),
        }
    }

    /// What it panicked with, for [`resume_unwind`](std::panic::resume_unwind); `None` if it returned an error.
    #[must_use]
    pub fn into_panic(self) -> Option<Box<dyn Any + Send>> {
        match self.cause {
            Cause::Error(_) => None,
            Cause::Panic(payload) => Some(payload.into_inner()),
        }
    }

    /// The first `E` among the error it returned and the causes of that, also within a publish of the handler's own.
    ///
    /// With the feature `anyhow` it looks into an `anyhow::Error` as well; without it, `anyhow` hides an error that has no
    /// context.
    #[must_use]
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&E> {
        chain::find(self.error()?)
    }

    /// `` handler `path::ship` (src/lib.rs:7:1) ``, and how it panicked.
    fn write_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handler {}", self.handler)?;
        self.panic_message().map_or(Ok(()), |message| write!(f, " panicked: {}", OneLine(message)))
    }

    /// The same with the error and its causes.
    pub(super) fn write_all(&self, f: &mut fmt::Formatter<'_>, told: &mut Told) -> fmt::Result {
        self.write_head(f)?;
        let Some(error) = self.error() else { return Ok(()) };
        f.write_str(": ")?;
        chain::write_all(f, error, told)
    }

    /// As one of several: its error as far as it is not the `source` of them all.
    pub(super) fn write_among(&self, f: &mut fmt::Formatter<'_>, is_source: bool) -> fmt::Result {
        self.write_head(f)?;
        match self.error() {
            Some(error) if !is_source => write!(f, ": {}", OneLine(error)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for HandlerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.write_all(f, &mut Told::new());
        }
        self.write_head(f)?;
        if self.error().is_some() { f.write_str(" failed") } else { Ok(()) }
    }
}

/// As `{:#}`.
impl fmt::Debug for HandlerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_all(f, &mut Told::new())
    }
}

impl Error for HandlerFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().map(|error| error as _)
    }
}
