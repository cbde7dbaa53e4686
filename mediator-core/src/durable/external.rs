//! Events that leave the process: what a bus between services does.

use std::any::TypeId;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::event::{Codec, Recordable};
use super::outbox::OutboxFuture;
use crate::event::id::EventId;
use crate::event::info::EventInfo;
use crate::handler::error::BoxError;

/// Takes events to other services; see [`MediatorBuilder::external`](crate::MediatorBuilder::external).
///
/// A publish records a delivery to the bus beside those to durable handlers, and a worker of the outbox publishes it there:
/// after the commit, and again until the bus has accepted it. So a bus need not be there when an event is published, and gets
/// every event at least once.
///
/// The way back is `Outbox::receive` of `mediator-outbox`.
///
/// ```
/// use std::error::Error;
/// use std::sync::Mutex;
/// use mediator_core::durable::{ExternalBus, ExternalEvent};
///
/// /// Other services read a file.
/// struct File(std::path::PathBuf);
///
/// impl ExternalBus for File {
///     fn name(&self) -> &'static str {
///         "file"
///     }
///
///     async fn publish(&self, event: &ExternalEvent) -> Result<(), Box<dyn Error + Send + Sync>> {
///         use std::io::Write as _;
///         let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0)?;
///         writeln!(file, "{}", serde_json::to_string(event)?)?;
///         Ok(file.sync_all()?)
///     }
/// }
/// ```
pub trait ExternalBus: Send + Sync + 'static {
    /// The name of the handler to which deliveries are recorded, such as `nats`. Another name is another bus.
    fn name(&self) -> &'static str;

    /// Publishes an event, and resolves when the broker has accepted it for good.
    ///
    /// Many are called at a time. Dropping the future may or may not publish the event; it is published again then.
    ///
    /// # Errors
    ///
    /// When the broker has not accepted it, or not said so in time: it is published again later. After a
    /// [`Permanent`](struct@super::Permanent) error the delivery is dead at once.
    fn publish(&self, event: &ExternalEvent) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// An event on its way between services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExternalEvent {
    /// Its identity: services record it once, however often it arrives.
    pub event_id: EventId,
    /// Its stable name.
    pub name: String,
    /// The version of its JSON.
    pub version: u32,
    /// What deliveries are ordered by.
    pub key: Option<String>,
    /// The event as JSON.
    pub payload: String,
    /// The service that has published it, where the bus says so.
    pub source: Option<String>,
    /// The id of the outermost event that was being handled.
    pub correlation_id: Option<EventId>,
    /// The id of the event whose handler has published this one.
    pub causation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The same, of vendors.
    pub tracestate: Option<String>,
    /// When it was recorded.
    pub recorded_at: SystemTime,
}

impl ExternalEvent {
    /// An event of version 1 with nothing else, recorded now.
    #[must_use]
    pub fn new(event_id: EventId, name: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            event_id,
            name: name.into(),
            version: 1,
            key: None,
            payload: payload.into(),
            source: None,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            tracestate: None,
            recorded_at: SystemTime::now(),
        }
    }
}

/// What `external` says of an event.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ExternalOptions {
    pub(crate) codec: Codec,
}

impl ExternalOptions {
    #[must_use]
    pub const fn new<E: Recordable>() -> Self {
        Self { codec: Codec::of::<E>() }
    }
}

/// The bus of a mediator and the events that go there, as a worker needs them.
///
/// [`Mediator::external`](crate::Mediator::external) returns it.
pub struct External {
    pub(crate) bus: Box<dyn ErasedBus>,
    pub(crate) events: &'static [(EventInfo, &'static ExternalOptions)],
}

impl External {
    /// How an event is recorded that goes there; `None` for others.
    pub(crate) fn codec_of(&self, event: TypeId) -> Option<Codec> {
        let found = self.events.iter().find(|(info, _)| info.type_id() == event);
        found.map(|(_, options)| options.codec)
    }

    /// The [name](ExternalBus::name) of the bus.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.bus.name()
    }

    /// Every name under which events that go there may have been recorded.
    pub fn event_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let codecs = self.events.iter().map(|(_, options)| options.codec);
        codecs.flat_map(|codec| [codec.name].into_iter().chain(codec.aliases.iter().copied()))
    }

    /// [Publishes](ExternalBus::publish) an event there.
    ///
    /// # Errors
    ///
    /// That of the bus.
    pub async fn publish(&self, event: &ExternalEvent) -> Result<(), BoxError> {
        self.bus.publish(event).await
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External")
            .field("name", &self.name())
            .field("events", &self.event_names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A bus of any type.
pub(crate) trait ErasedBus: Send + Sync {
    fn name(&self) -> &'static str;

    fn publish<'a>(&'a self, event: &'a ExternalEvent) -> OutboxFuture<'a, ()>;
}

impl<B: ExternalBus> ErasedBus for B {
    fn name(&self) -> &'static str {
        ExternalBus::name(self)
    }

    fn publish<'a>(&'a self, event: &'a ExternalEvent) -> OutboxFuture<'a, ()> {
        Box::pin(ExternalBus::publish(self, event))
    }
}
