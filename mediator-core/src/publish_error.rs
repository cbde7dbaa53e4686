//! What a publish that failed has to say.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::handler::BoxError;
use crate::registry::HandlerInfo;
use crate::{DynNotification, Uuid};

/// Why a publish failed: which handlers, where they are, and with what.
///
/// `Display` tells all of it. `Debug`, which is what `unwrap` and a `main` that returns an error
/// print, adds what caused the handlers' errors. [`source`](Error::source) is the first handler's
/// own error.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// async fn send_mail(_event: &OrderPlaced) -> std::io::Result<()> {
///     Err(std::io::ErrorKind::TimedOut.into())
/// }
///
/// let mediator = Mediator::builder().without_discovery().bind::<OrderPlaced, send_mail>().build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert!(error.event_name().ends_with("::OrderPlaced"));
/// assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::TimedOut);
/// for failure in error.failures() {
///     println!("{} at {}", failure.handler_name(), failure.location());
/// }
/// assert!(error.not_run().is_empty() && error.cancelled().is_empty());
/// # Ok::<(), BuildError>(())
/// ```
pub struct PublishError {
    // Boxed, so that the `Result` of a publish is one pointer.
    report: Box<Report>,
}

struct Report {
    event_name: &'static str,
    event_id: Option<Uuid>,
    failures: Vec<HandlerFailure>,
    cancelled: Vec<HandlerInfo>,
    not_run: Vec<HandlerInfo>,
    unpublished: Vec<Box<dyn DynNotification>>,
}

impl PublishError {
    pub(crate) fn new(event: &dyn DynNotification) -> Self {
        Self {
            report: Box::new(Report {
                event_name: event.event_name(),
                event_id: event.event_id(),
                failures: Vec::new(),
                cancelled: Vec::new(),
                not_run: Vec::new(),
                unpublished: Vec::new(),
            }),
        }
    }

    /// The mediator is gone, and so are its handlers: the event comes back.
    pub(crate) fn mediator_dropped(event: Box<dyn DynNotification>) -> Self {
        Self::new(&*event).with_unpublished([event])
    }

    pub(crate) fn with_failures(mut self, failures: impl IntoIterator<Item = HandlerFailure>) -> Self {
        self.report.failures.extend(failures);
        self
    }

    pub(crate) fn with_cancelled(mut self, handlers: impl IntoIterator<Item = HandlerInfo>) -> Self {
        self.report.cancelled.extend(handlers);
        self
    }

    pub(crate) fn with_not_run(mut self, handlers: impl IntoIterator<Item = HandlerInfo>) -> Self {
        self.report.not_run.extend(handlers);
        self
    }

    pub(crate) fn with_unpublished(mut self, events: impl IntoIterator<Item = Box<dyn DynNotification>>) -> Self {
        self.report.unpublished.extend(events);
        self
    }

    /// The name of the event whose publish failed.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        self.report.event_name
    }

    /// The id of that event, if it has one.
    #[must_use]
    pub fn event_id(&self) -> Option<Uuid> {
        self.report.event_id
    }

    /// Every failure that happened, in the order of the handlers.
    ///
    /// Empty if the mediator was dropped before a handle was used that does not keep it alive.
    #[must_use]
    pub fn failures(&self) -> &[HandlerFailure] {
        &self.report.failures
    }

    /// The handlers that had started and were dropped unfinished because another one failed.
    #[must_use]
    pub fn cancelled(&self) -> &[HandlerInfo] {
        &self.report.cancelled
    }

    /// The handlers that were not started because an earlier one failed.
    #[must_use]
    pub fn not_run(&self) -> &[HandlerInfo] {
        &self.report.not_run
    }

    /// The events that reached no handler: the rest of a `publish_all`, or what was published
    /// after the mediator was dropped.
    #[must_use]
    pub fn unpublished(&self) -> &[Box<dyn DynNotification>] {
        &self.report.unpublished
    }

    /// Takes the [`unpublished`](Self::unpublished) events out, to publish them another time.
    #[must_use]
    pub fn into_unpublished(self) -> Vec<Box<dyn DynNotification>> {
        self.report.unpublished
    }

    /// The first error of type `E` that a handler returned, or that caused what it returned.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.failures().iter().find_map(HandlerFailure::downcast_ref)
    }

    fn fmt_cause(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures() {
            [] => {
                f.write_str("the mediator was dropped; keep it, or a publisher of it, for as long as handlers publish")
            }
            [failure] => write!(f, "{failure}"),
            [first, others @ ..] => {
                write!(f, "{} handlers failed: {first}", others.len() + 1)?;
                others.iter().try_for_each(|failure| write!(f, "; {failure}"))
            }
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "publishing `{}`", self.event_name())?;
        if let Some(id) = self.event_id() {
            write!(f, " ({id})")?;
        }
        f.write_str(" failed: ")?;
        self.fmt_cause(f)?;
        fmt_names(f, "cancelled", self.cancelled())?;
        fmt_names(f, "not run", self.not_run())?;
        match self.unpublished().len() {
            0 => Ok(()),
            1 => f.write_str("; 1 event was not published"),
            count => write!(f, "; {count} events were not published"),
        }
    }
}

fn fmt_names(f: &mut fmt::Formatter<'_>, what: &str, handlers: &[HandlerInfo]) -> fmt::Result {
    for (index, handler) in handlers.iter().enumerate() {
        let before = if index == 0 { format_args!("; {what}: ") } else { format_args!(", ") };
        write!(f, "{before}`{}`", handler.name())?;
    }
    Ok(())
}

impl fmt::Debug for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        for failure in self.failures() {
            let mut cause = failure.source().and_then(Error::source);
            while let Some(error) = cause {
                write!(f, "\n    `{}`, caused by: {error}", failure.handler_name())?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures().iter().find_map(|failure| failure.error()).map(|error| error as _)
    }
}

/// One handler's failure: its error, or its panic.
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
/// let mediator = Mediator::builder().without_discovery().bind::<OrderPlaced, ship>().build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// let failure = &error.failures()[0];
/// assert_eq!(failure.panic_message(), Some("out of boxes"));
/// assert!(failure.error().is_none());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Debug)]
pub struct HandlerFailure {
    handler: HandlerInfo,
    cause: Cause,
}

/// The error or the panic that a handler was stopped by.
pub(crate) type Caught = std::thread::Result<Box<BoxError>>;

#[derive(Debug)]
enum Cause {
    Error(BoxError),
    Panic(String),
}

impl HandlerFailure {
    pub(crate) fn new(handler: HandlerInfo, caught: Caught) -> Self {
        let cause = match caught {
            Ok(error) => Cause::Error(*error),
            Err(payload) => Cause::Panic(panic_text(payload)),
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
        match &self.cause {
            Cause::Error(_) => None,
            Cause::Panic(message) => Some(message),
        }
    }

    /// The error it returned, or the nearest one that caused it, if that is an `E`.
    ///
    /// `anyhow` hides an error without a context from `downcast_ref`; one with a context is found.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        let mut error = self.error()? as &(dyn Error + 'static);
        loop {
            match error.downcast_ref() {
                Some(found) => return Some(found),
                None => error = error.source()?,
            }
        }
    }
}

impl fmt::Display for HandlerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Error(error) => write!(f, "handler {}: {error}", self.handler),
            Cause::Panic(message) => write!(f, "handler {} panicked: {message}", self.handler),
        }
    }
}

impl Error for HandlerFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().map(|error| error as _)
    }
}

/// The message of a panic, as the default hook would print it.
fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = match payload.downcast::<String>() {
        Ok(text) => return *text,
        Err(payload) => payload,
    };
    let text = match text.downcast::<&'static str>() {
        Ok(text) => return (*text).to_owned(),
        Err(payload) => payload,
    };
    discard_panic(text);
    "Box<dyn Any>".to_owned()
}

/// Drops things of the user's where nobody is left to tell of a panic, which the panic hook has seen.
pub(crate) fn discarding_panics(drop: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(drop)).unwrap_or_else(discard_panic);
}

/// Drops the payload of a panic, which may panic in turn, and that panic's payload again.
pub(crate) fn discard_panic(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
