//! The way of events from the server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt as _;
use mediator_core::durable::DurableEvent;
use mediator_core::{EventNode, Mediator};
use mediator_outbox::store::Store;
use mediator_outbox::{ExternalEvent, Outbox, Received, full_text};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::BoxError;
use crate::bridge::NatsBridge;
use crate::cloud_event;
use crate::error::NatsError;
use crate::server::{self, ConsumerSettings};
use crate::stats::{Counted, Fate, MalformedMessage, Stats};

/// How many messages are asked for, and recorded, at a time.
const BATCH: usize = 200;

/// How long the server holds a request for messages that are not there yet, and so how long it takes to stop.
const EXPIRES: Duration = Duration::from_secs(1);

/// How much later its answer may come.
const OVERDUE: Duration = Duration::from_secs(2);

/// Says what a service consumes; from [`NatsBridge::consumer`].
#[must_use = "a consumer does nothing until `start`"]
pub struct ConsumerBuilder<S: Store> {
    bridge: NatsBridge,
    mediator: Mediator,
    outbox: Outbox<S>,
    /// The names of the events, if not all are consumed.
    only: Option<Vec<&'static str>>,
    ignores_ordinary_handlers: bool,
    ack_wait: Duration,
}

impl<S: Store> ConsumerBuilder<S> {
    pub(crate) fn new(bridge: NatsBridge, mediator: Mediator, outbox: Outbox<S>) -> Self {
        let ack_wait = Duration::from_secs(30);
        Self { bridge, mediator, outbox, only: None, ignores_ordinary_handlers: false, ack_wait }
    }

    /// Consumes `E`, and of others only those that are named in the same way. The rest is counted as unhandled.
    pub fn only<E: DurableEvent>(mut self) -> Self {
        let names = [E::NAME].into_iter().chain(E::ALIASES.iter().copied());
        self.only.get_or_insert_default().extend(names);
        self
    }

    /// Accepts that ordinary handlers of the consumed events do not run for those of other services.
    pub fn ignore_ordinary_handlers(mut self) -> Self {
        self.ignores_ordinary_handlers = true;
        self
    }

    /// After what time the server gives a message to another node of the service, if it was not acknowledged; 30 seconds unless
    /// said otherwise. It is the same for all nodes.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        assert!(!wait.is_zero(), "an acknowledgement takes some time");
        self.ack_wait = wait;
        self
    }

    /// Makes the consumer on the server, if there is none, and starts to receive on the current tokio runtime.
    ///
    /// It keeps the mediator. Dropping the [`Consumer`] stops it at once.
    ///
    /// # Errors
    ///
    /// If ordinary handlers of consumed events would not run, or the server's consumer could lose messages.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Consumer, NatsError> {
        let handlers = self.ordinary_handlers();
        if !handlers.is_empty() && !self.ignores_ordinary_handlers {
            return Err(NatsError::OrdinaryHandlers { handlers });
        }
        let Self { bridge, mediator, outbox, only, ack_wait, .. } = self;
        let (service, prefix) = (bridge.service().to_owned(), bridge.prefix().to_owned());
        let settings = ConsumerSettings { service, prefix, ack_wait };
        server::consumer(&bridge.stream().await?, &settings).await?;
        let (stop, stopped) = watch::channel(false);
        let counted = Arc::new(Counted::default());
        let inflow = Inflow { bridge, mediator, outbox, only, settings, counted: counted.clone(), stopped };
        Ok(Consumer { stop, counted, task: tokio::spawn(inflow.run()) })
    }

    /// Those that would not run, each with its event.
    fn ordinary_handlers(&self) -> Vec<String> {
        let consumed = self.mediator.topology().events().iter().filter(|node| self.consumes(node));
        let handlers = consumed.flat_map(|node| {
            let ordinary = node.handlers().iter().filter(|handler| !handler.is_durable() && !handler.is_observer());
            ordinary.map(|handler| format!("{} of `{}`", handler.handler(), node.event().name()))
        });
        handlers.collect()
    }

    fn consumes(&self, node: &EventNode) -> bool {
        match &self.only {
            Some(names) => names.contains(&node.event().name()),
            None => node.is_external() || node.handlers().iter().any(|handler| handler.is_durable()),
        }
    }
}

impl<S: Store> fmt::Debug for ConsumerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerBuilder")
            .field("bridge", &self.bridge)
            .field("only", &self.only)
            .field("ack_wait", &self.ack_wait)
            .finish_non_exhaustive()
    }
}

/// A running consumer; from [`ConsumerBuilder::start`].
///
/// Dropping it stops it; what was not acknowledged is received again, by this or another node.
#[must_use = "a consumer that is dropped stops"]
pub struct Consumer {
    stop: watch::Sender<bool>,
    counted: Arc<Counted>,
    task: JoinHandle<()>,
}

impl Consumer {
    /// What was received.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counted.stats()
    }

    /// The last hundred messages that were not understood. They stay in the stream until they are too old.
    #[must_use]
    pub fn malformed(&self) -> Vec<MalformedMessage> {
        self.counted.malformed()
    }

    /// Why nothing can be received at the moment; `None` if all is well. It is tried again all the time.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.counted.last_error()
    }

    /// Stops asking for messages, and records and acknowledges those that it has asked for, for at most `grace`; it takes a second.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(true);
        // What is cut off is received again.
        let _ = timeout(grace, &mut self.task).await;
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What runs in the task of a consumer.
struct Inflow<S: Store> {
    bridge: NatsBridge,
    mediator: Mediator,
    outbox: Outbox<S>,
    only: Option<Vec<&'static str>>,
    settings: ConsumerSettings,
    counted: Arc<Counted>,
    stopped: watch::Receiver<bool>,
}

impl<S: Store> Inflow<S> {
    async fn run(mut self) {
        let mut pause = Pause::default();
        while let Err(error) = self.pull(&mut pause).await {
            self.counted.failed(full_text(&*error));
            if self.stops_within(pause.next()).await {
                break;
            }
        }
        // So that the server knows of the acknowledgements before the process ends.
        let _ = timeout(Duration::from_secs(1), self.bridge.client().flush()).await;
    }

    /// Receives until it is stopped.
    async fn pull(&mut self, pause: &mut Pause) -> Result<(), BoxError> {
        let consumer = server::consumer(&self.bridge.stream().await?, &self.settings).await?;
        self.counted.goes_on();
        while !*self.stopped.borrow() {
            let messages = consumer.batch().max_messages(BATCH).expires(EXPIRES).messages().await?;
            if !self.take_all(messages).await? {
                break;
            }
            *pause = Pause::default();
        }
        Ok(())
    }

    /// Takes what arrives for one request; `false` if it was stopped before it could.
    ///
    /// A request is waited for to its end: what arrived later would be lost sight of until the server delivers it again.
    async fn take_all(&mut self, messages: pull::Batch) -> Result<bool, BoxError> {
        let mut messages = messages.ready_chunks(BATCH);
        loop {
            let chunk = timeout(EXPIRES + OVERDUE, messages.next()).await;
            let Some(chunk) = chunk.map_err(|_| "the server does not answer")? else { return Ok(true) };
            let mut batch = Vec::with_capacity(chunk.len());
            let mut failed = None;
            for message in chunk {
                match message {
                    Ok(message) => batch.push(message),
                    Err(error) => failed = Some(error),
                }
            }
            if !self.take(&batch).await {
                give_back(&batch).await;
                return Ok(false);
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// Records the events of messages, and acknowledges these; `false` if it was stopped before it could.
    async fn take(&mut self, messages: &[Message]) -> bool {
        let mut events = Vec::with_capacity(messages.len());
        let others: Vec<_> = messages.iter().map(|message| self.sort(message, &mut events)).collect();
        let Some(received) = self.record(&events).await else { return false };
        // After that time they are delivered again.
        let _ = timeout(self.settings.ack_wait, acknowledge(messages)).await;
        let mut received = events.into_iter().zip(received);
        for (message, other) in messages.iter().zip(others) {
            let fate = other
                .or_else(|| received.next().map(|(event, received)| Fate::Received { event: event.name, received }));
            let sequence = message.info().map_or(0, |info| info.stream_sequence);
            if let Some(fate) = fate {
                self.counted.count(fate, sequence, &message.subject);
            }
        }
        true
    }

    /// Puts the event of a message to those that are to be recorded, or says what becomes of it instead.
    fn sort(&self, message: &Message, events: &mut Vec<ExternalEvent>) -> Option<Fate> {
        let event = match cloud_event::from_message(message.headers.as_ref(), &message.payload) {
            Ok(event) => event,
            Err(reason) => return Some(Fate::Malformed(reason)),
        };
        if event.source.as_deref() == Some(self.bridge.service()) {
            return Some(Fate::Own);
        }
        if self.only.as_ref().is_some_and(|only| !only.contains(&event.name.as_str())) {
            return Some(Fate::Received { event: event.name, received: Received::Unhandled });
        }
        events.push(event);
        None
    }

    /// Tries until it succeeds, so that the order stays; `None` if it was stopped before.
    async fn record(&mut self, events: &[ExternalEvent]) -> Option<Vec<Received>> {
        let mut pause = Pause::default();
        loop {
            match self.outbox.receive(&self.mediator, events).await {
                Ok(received) => {
                    self.counted.goes_on();
                    return Some(received);
                }
                Err(error) => self.counted.failed(full_text(&error)),
            }
            if self.stops_within(pause.next()).await {
                return None;
            }
        }
    }

    async fn stops_within(&mut self, pause: Duration) -> bool {
        timeout(pause, stopped(&mut self.stopped)).await.is_ok()
    }
}

/// Resolves when it is to stop, or nobody can say so any more.
async fn stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn acknowledge(messages: &[Message]) {
    for message in messages {
        // One that gets lost is delivered, and recognized, once more.
        let _ = message.ack().await;
    }
}

/// Another node may have them at once.
async fn give_back(messages: &[Message]) {
    let give = async {
        for message in messages {
            let _ = message.ack_with(AckKind::Nak(None)).await;
        }
    };
    let _ = timeout(Duration::from_secs(1), give).await;
}

/// How long to wait after an error: twice as long each time.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(100))
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Duration::from_secs(5));
        pause
    }
}
