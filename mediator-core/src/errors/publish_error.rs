//! Why a publish failed.

use std::error::Error;
use std::fmt;

use super::chain::{self, Told};
use super::handler_failure::HandlerFailure;
use super::panics::OneLine;
use crate::event::dynamic::DynNotification;
use crate::event::id::EventId;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;

/// Why a publish failed: which handlers, where they are, and with what.
///
/// [`source`](Error::source) is the first error that a handler returned. `{}` is one line without its text, as error
/// reporters that print the sources expect; `{:#}` and `Debug`, which is what `unwrap` and a `main` that returns an error
/// print, tell everything, each text once.
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
/// let mediator = Mediator::builder().without_discovery().bind_fn(send_mail).build()?;
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

/// What kind of failure a [`PublishError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// Handlers failed, or a strategy did not run all of them to their end.
    Handlers,
    /// A handler borrows what the publish does not lend; none has started, and the event
    /// [comes back](PublishError::into_unpublished).
    NotLent,
    /// The deliveries to durable handlers could not be recorded: nothing is recorded, no handler has started, and the event
    /// comes back. The [`source`](Error::source) says why.
    NotRecorded,
    /// Publishes are nested deeper than handlers that publish each other by mistake would stop at; only with debug
    /// assertions. No handler has started, and the event comes back.
    TooDeep,
    /// The mediator was dropped before a weak handle was used, or is not built yet; the event comes back.
    MediatorDropped,
}

struct Report {
    kind: PublishErrorKind,
    /// What is wrong, beside the failures of handlers.
    reason: Option<String>,
    /// Why it could not be recorded.
    cause: Option<BoxError>,
    is_recorded: bool,
    event_name: &'static str,
    event_id: Option<EventId>,
    failures: Vec<HandlerFailure>,
    cancelled: Vec<HandlerInfo>,
    not_run: Vec<HandlerInfo>,
    unpublished: Vec<Box<dyn DynNotification>>,
}

impl PublishError {
    pub(crate) fn new(kind: PublishErrorKind, event: &dyn DynNotification) -> Self {
        Self {
            report: Box::new(Report {
                kind,
                reason: None,
                cause: None,
                is_recorded: false,
                event_name: event.event_name(),
                event_id: event.event_id(),
                failures: Vec::new(),
                cancelled: Vec::new(),
                not_run: Vec::new(),
                unpublished: Vec::new(),
            }),
        }
    }

    /// The mediator is gone, and so are its handlers.
    pub(crate) fn mediator_dropped(event: &dyn DynNotification) -> Self {
        let reason = "the mediator was dropped, or is still being built; keep it, or a strong handle of it, for as long as \
                      handlers publish";
        Self::new(PublishErrorKind::MediatorDropped, event).with_reason(reason.to_owned())
    }

    pub(crate) fn with_reason(mut self, reason: String) -> Self {
        self.report.reason = Some(reason);
        self
    }

    /// Nothing was recorded, for this reason.
    #[cfg(feature = "durable")]
    pub(crate) fn with_cause(mut self, cause: BoxError) -> Self {
        self.report.cause = Some(cause);
        self.with_reason("its durable deliveries could not be recorded".to_owned())
    }

    /// A failure of ordinary handlers, after durable deliveries were recorded.
    #[cfg(feature = "durable")]
    pub(crate) fn after_recording(mut self) -> Self {
        self.report.is_recorded = true;
        self
    }

    /// Whether no handler was started and the event is to come back. That of another publish, which a strategy passed on, has
    /// come back.
    pub(crate) fn is_refusal(&self) -> bool {
        self.report.kind == PublishErrorKind::NotRecorded && self.report.unpublished.is_empty()
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

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        self.report.kind
    }

    /// Whether deliveries to durable handlers were recorded before an ordinary handler failed.
    ///
    /// They stand, unless they were recorded in a transaction of yours: roll that back, and they are gone with it.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.report.is_recorded
    }

    /// The name of the event whose publish failed.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        self.report.event_name
    }

    /// The id of that event, if it has one.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.report.event_id
    }

    /// Every failure that happened, in the order of the handlers.
    ///
    /// Empty if no handler was called, or if a strategy left handlers out without a failure.
    #[must_use]
    pub fn failures(&self) -> &[HandlerFailure] {
        &self.report.failures
    }

    /// Takes the [`failures`](Self::failures) out.
    #[must_use]
    pub fn into_failures(self) -> Vec<HandlerFailure> {
        self.report.failures
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

    /// The first `E` among the errors that handlers returned and the causes of those, also within nested publishes.
    ///
    /// With the feature `anyhow` it looks into an `anyhow::Error` as well; without it, `anyhow` hides an error that has no
    /// context.
    #[must_use]
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&E> {
        let cause = || chain::find(self.report.cause.as_deref()?);
        self.failures().iter().find_map(HandlerFailure::downcast_ref).or_else(cause)
    }

    /// With all causes, as a part of the publishes of `told`.
    pub(super) fn write_all(&self, f: &mut fmt::Formatter<'_>, told: &mut Told) -> fmt::Result {
        told.push(self.event_name());
        let written = self.write(f, Some(told));
        told.pop();
        written
    }

    /// With all causes if it knows what is `told`.
    fn write(&self, f: &mut fmt::Formatter<'_>, mut told: Option<&mut Told>) -> fmt::Result {
        write!(f, "publishing `{}`", self.event_name())?;
        if let Some(id) = self.event_id() {
            write!(f, " ({id})")?;
        }
        f.write_str(" failed: ")?;
        match (&self.report.reason, self.failures()) {
            (Some(reason), _) => write!(f, "{}", OneLine(reason))?,
            (None, []) => f.write_str("not every handler ran to its end")?,
            (None, [_]) => {}
            (None, failures) => write!(f, "{} handlers failed: ", failures.len())?,
        }
        if let Some((cause, told)) = self.report.cause.as_deref().zip(told.as_deref_mut()) {
            f.write_str(": ")?;
            chain::write_all(f, cause, told)?;
        }
        let source = self.failures().iter().position(|failure| failure.error().is_some());
        for (index, failure) in self.failures().iter().enumerate() {
            if index > 0 || self.report.reason.is_some() {
                f.write_str("; ")?;
            }
            match told.as_deref_mut() {
                Some(told) => failure.write_all(f, told)?,
                None => failure.write_among(f, source == Some(index))?,
            }
        }
        write_handlers(f, "cancelled", self.cancelled())?;
        write_handlers(f, "not run", self.not_run())?;
        match self.unpublished().len() {
            0 => Ok(()),
            1 => f.write_str("; 1 event was not published"),
            count => write!(f, "; {count} events were not published"),
        }
    }
}

fn write_handlers(f: &mut fmt::Formatter<'_>, what: &str, handlers: &[HandlerInfo]) -> fmt::Result {
    for (index, handler) in handlers.iter().enumerate() {
        let before = if index == 0 { format_args!("; {what}: ") } else { format_args!(", ") };
        write!(f, "{before}{handler}")?;
    }
    Ok(())
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.write_all(f, &mut Told::new());
        }
        self.write(f, None)
    }
}

/// As `{:#}`.
impl fmt::Debug for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_all(f, &mut Told::new())
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let failure = self.failures().iter().find_map(|failure| failure.error());
        failure.or(self.report.cause.as_deref()).map(|error| error as _)
    }
}
