//! What a mediator asks of an outbox.

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use super::external::External;
use super::handler::DurableHandler;
use crate::dispatch::LentToOutbox;
use crate::event::id::EventId;
use crate::handler::error::BoxError;
use crate::mediator::handles::Mediator;

/// The future of what an outbox does for a publish.
pub type OutboxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Records deliveries; see [`MediatorBuilder::outbox`](crate::MediatorBuilder::outbox).
///
/// Implemented by the outboxes of `mediator-outbox`; a further database is rather a store of that crate.
pub trait Outbox: Send + Sync + 'static {
    /// The type of the connection that its worker lends to handlers as `&mut`, if it lends one.
    fn connection(&self) -> Option<TypeId>;

    /// A mediator with these durable handlers was built.
    fn attach(&self, handlers: &[DurableHandler]);

    /// A mediator with this bus was built. By default that changes nothing.
    fn attach_external(&self, external: &External) {
        let _ = external;
    }

    /// Records the deliveries of one event: through a connection that the publish lends, if one is lent, and otherwise on its own.
    ///
    /// Dropping the future must leave all deliveries or none. An event that was recorded before is left as it is.
    fn record<'a>(&'a self, recording: Recording<'a>) -> OutboxFuture<'a, ()>;

    /// Delivers what is due until nothing is left to be delivered, attempts that are due later included; for tests that wait for
    /// what a publish has led to. By default there is nothing to wait for.
    fn settle<'a>(&'a self, mediator: &'a Mediator) -> OutboxFuture<'a, ()> {
        let _ = mediator;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Deletes the deliveries of a scheduled event that nobody has started; how many those were.
    fn unschedule<'a>(&'a self, event: EventId, lent: LentToOutbox<'a>) -> OutboxFuture<'a, u64>;
}

/// What an outbox could not do: shows the outbox's own error, and has its sources.
#[derive(Debug)]
pub struct OutboxError(BoxError);

impl OutboxError {
    /// Wraps an outbox's own error.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }

    /// The outbox's own error, such as a `StoreError` of `mediator-outbox`.
    #[must_use]
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for OutboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// When scheduled deliveries are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now,
    /// Not before this time.
    At(SystemTime),
    /// Not before so long from now.
    In(Duration),
}

impl From<SystemTime> for Due {
    fn from(time: SystemTime) -> Self {
        Self::At(time)
    }
}

impl From<Duration> for Due {
    fn from(delay: Duration) -> Self {
        Self::In(delay)
    }
}

/// An event to be recorded, with a delivery for each of its durable handlers.
#[non_exhaustive]
pub struct Recording<'a> {
    /// The event's id; of an event that has none, a fresh one.
    pub event_id: EventId,
    /// The event's stable name.
    pub name: &'static str,
    /// The version of its JSON.
    pub version: u32,
    /// What its deliveries are ordered by.
    pub key: Option<String>,
    /// The event as JSON.
    pub payload: String,
    /// The id of the outermost event that is being handled.
    pub correlation_id: Option<EventId>,
    /// The id of the event whose handler publishes this one.
    pub causation_id: Option<EventId>,
    /// The names of the handlers.
    pub handlers: &'a [&'static str],
    /// When the deliveries are due.
    pub due: Due,
    /// What the publish lends.
    pub lent: LentToOutbox<'a>,
}

impl fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("event_id", &self.event_id)
            .field("name", &self.name)
            .field("handlers", &self.handlers)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}
