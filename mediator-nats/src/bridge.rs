//! The way of events to the server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use mediator_core::Mediator;
use mediator_core::durable::Permanent;
use mediator_outbox::store::Store;
use mediator_outbox::{ExternalBus, ExternalEvent, Outbox};

use crate::consumer::ConsumerBuilder;
use crate::error::NatsError;
use crate::server::{self, StreamSettings};
use crate::{cloud_event, subject};

/// Takes the external events of a service to NATS JetStream, and those of others from there.
///
/// Cheap to clone; all clones share a connection, which is made again whenever it breaks.
///
/// ```no_run
/// use mediator_core::prelude::*;
/// use mediator_nats::NatsBridge;
/// use mediator_outbox::InMemoryOutbox;
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let outbox = InMemoryOutbox::new();
/// let nats = NatsBridge::connect("nats://127.0.0.1:4222", "shop").await?;
/// let mediator = Mediator::builder().outbox(outbox.clone()).external(nats.clone()).build()?;
/// let consumer = nats.consumer(&mediator, &outbox).start().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct NatsBridge {
    shared: Arc<Shared>,
}

struct Shared {
    service: String,
    client: Client,
    context: Context,
    stream: StreamSettings,
}

impl NatsBridge {
    /// Connects the service of this name to a server, and makes the stream there, if there is none.
    ///
    /// All nodes of a service have one name. It is the `source` of what it publishes, and the name of its consumer.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, it has no JetStream, or it has a stream of the name that could lose events.
    pub async fn connect(url: &str, service: &str) -> Result<Self, NatsError> {
        Self::builder(service).connect(url).await
    }

    /// The same with a stream of your own, or with a client that you have made.
    pub fn builder(service: &str) -> NatsBridgeBuilder {
        NatsBridgeBuilder {
            service: service.to_owned(),
            stream: StreamSettings {
                name: "MEDIATOR".to_owned(),
                prefix: "mediator".to_owned(),
                replicas: 1,
                max_age: Duration::from_secs(7 * 24 * 3600),
                duplicate_window: Duration::from_secs(2 * 60),
            },
            publish_timeout: Duration::from_secs(5),
        }
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.shared.service
    }

    /// A consumer that records events of other services in `outbox`, for the durable handlers of `mediator`, which it keeps, also
    /// through a weak handle.
    ///
    /// # Panics
    ///
    /// If the handle is weak, and the mediator is dropped or not built yet: there is nobody to record for.
    #[must_use = "a consumer does nothing until `start`"]
    pub fn consumer<S: Store>(&self, mediator: &Mediator, outbox: &Outbox<S>) -> ConsumerBuilder<S> {
        let mediator = mediator.upgrade().expect("a mediator that is built, and not dropped");
        ConsumerBuilder::new(self.clone(), mediator, outbox.clone())
    }

    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.shared.stream.prefix
    }

    /// The stream, which is made if there is none.
    pub(crate) async fn stream(&self) -> Result<async_nats::jetstream::stream::Stream, NatsError> {
        server::stream(&self.shared.context, &self.shared.stream).await
    }
}

impl ExternalBus for NatsBridge {
    fn name(&self) -> &'static str {
        "nats"
    }

    /// Publishes an event, and waits until the stream has it. An event that it had already is no second one.
    async fn publish(&self, event: &ExternalEvent) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Shared { service, client, context, stream } = &*self.shared;
        // The client would keep the message until there is a connection, and the outbox does that better.
        if client.connection_state() != State::Connected {
            return Err("there is no connection to NATS".into());
        }
        let message = PublishMessage::build()
            .payload(event.payload.clone().into())
            .headers(cloud_event::to_headers(event, service))
            .message_id(event.event_id.to_string())
            .expected_stream(&stream.name);
        let published =
            async { context.send_publish(subject::of_event(&stream.prefix, &event.name), message).await?.await };
        match published.await {
            Ok(_) => Ok(()),
            Err(error) => {
                match error.kind() {
                    PublishErrorKind::MaxPayloadExceeded => return Err(Permanent(error).into()),
                    // Perhaps the server has lost its files. The next attempt finds the stream.
                    PublishErrorKind::StreamNotFound => drop(self.stream().await?),
                    _ => {}
                }
                Err(error.into())
            }
        }
    }
}

impl fmt::Debug for NatsBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBridge")
            .field("service", &self.shared.service)
            .field("stream", &self.shared.stream)
            .finish_non_exhaustive()
    }
}

/// Says how a service and its server work together; from [`NatsBridge::builder`].
///
/// What is said of the stream is for the service that makes it. One that is there already is checked, and never changed.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `connect`"]
pub struct NatsBridgeBuilder {
    service: String,
    stream: StreamSettings,
    publish_timeout: Duration,
}

impl NatsBridgeBuilder {
    /// The name of the stream, which services that know each other share; `MEDIATOR` unless said otherwise.
    pub fn stream(mut self, name: &str) -> Self {
        name.clone_into(&mut self.stream.name);
        self
    }

    /// What subjects begin with; `mediator` unless said otherwise, so that `orders.placed` is `mediator.orders.placed`.
    pub fn subject_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.stream.prefix);
        self
    }

    /// On how many servers of a cluster the stream is kept; 1 unless said otherwise. With 3 of them, one may fail.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.stream.replicas = replicas;
        self
    }

    /// For how long events are kept; 7 days unless said otherwise. A service that is away for longer misses some.
    ///
    /// The outbox remembers what it has received for 7 days, so an older event could be received a second time after the consumer
    /// was deleted.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.stream.max_age = max_age;
        self
    }

    /// For how long the server remembers the ids of events, so that one that is published twice is there once; 2 minutes unless
    /// said otherwise. Later repetitions are found by those who receive them.
    pub fn duplicate_window(mut self, window: Duration) -> Self {
        self.stream.duplicate_window = window;
        self
    }

    /// How long a publish waits for the server's acknowledgement before it is made again; 5 seconds unless said otherwise.
    pub fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.publish_timeout = timeout;
        self
    }

    /// Connects to the server at `url`, which may contain a user and a password or a token, and several addresses with commas
    /// between them.
    ///
    /// # Errors
    ///
    /// As for [`NatsBridge::connect`].
    pub async fn connect(self, url: &str) -> Result<NatsBridge, NatsError> {
        self.check_names()?;
        let urls: Vec<_> = url.split(',').map(str::trim).collect();
        let options = async_nats::ConnectOptions::new().name(&self.service);
        match options.connect(urls).await {
            Ok(client) => self.with_client(client).await,
            Err(error) => Err(NatsError::Connect { url: without_secrets(url), source: error.into() }),
        }
    }

    /// Uses a client of your own, as with TLS or credentials.
    ///
    /// # Errors
    ///
    /// As for [`NatsBridge::connect`].
    pub async fn with_client(self, client: Client) -> Result<NatsBridge, NatsError> {
        self.check_names()?;
        let context = ContextBuilder::new().timeout(self.publish_timeout).build(client.clone());
        let shared = Shared { service: self.service, client, context, stream: self.stream };
        let bridge = NatsBridge { shared: Arc::new(shared) };
        bridge.stream().await?;
        Ok(bridge)
    }

    fn check_names(&self) -> Result<(), NatsError> {
        subject::check("service", &self.service)?;
        subject::check("stream", &self.stream.name)?;
        subject::check("prefix", &self.stream.prefix)
    }
}

/// What stands before the `@` is not for logs.
fn without_secrets(url: &str) -> String {
    let without = |url: &str| match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &url[..scheme + 3], &url[at + 1..]),
        (None, Some(at)) => url[at + 1..].to_owned(),
        _ => url.to_owned(),
    };
    url.split(',').map(without).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_stay_out_of_errors() {
        let shown = super::without_secrets("nats://ann:secret@a:4222,token@b,nats://c:4222");
        assert_eq!(shown, "nats://a:4222,b,nats://c:4222");
    }
}
