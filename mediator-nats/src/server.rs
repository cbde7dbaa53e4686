//! The stream and the consumer on the server: made where there is none, and otherwise checked, never changed.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::{self, RetentionPolicy, StorageType, Stream};

use crate::error::{Mismatch, NatsError};
use crate::subject;

/// How the stream is to be.
#[derive(Clone, Debug)]
pub(crate) struct StreamSettings {
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) replicas: usize,
    pub(crate) max_age: Duration,
    pub(crate) duplicate_window: Duration,
}

/// The stream, which is made if there is none.
pub(crate) async fn stream(context: &Context, settings: &StreamSettings) -> Result<Stream, NatsError> {
    let name = &settings.name;
    let found = context.get_or_create_stream(settings.to_config()).await;
    let found = found.map_err(|error| NatsError::jet_stream(format!("find or create the stream `{name}`"), error))?;
    match settings.differences(&found.cached_info().config) {
        same if same.is_empty() => Ok(found),
        differences => Err(NatsError::Mismatch { of: "stream", name: name.clone(), differences }),
    }
}

impl StreamSettings {
    fn to_config(&self) -> stream::Config {
        stream::Config {
            name: self.name.clone(),
            description: Some("Events between services".to_owned()),
            subjects: vec![subject::of_all(&self.prefix)],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            num_replicas: self.replicas,
            max_age: self.max_age,
            duplicate_window: self.duplicate_window,
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            ..stream::Config::default()
        }
    }

    /// What would lose events. Replicas, ages and sizes are the operator's.
    fn differences(&self, found: &stream::Config) -> Vec<Mismatch> {
        let all = subject::of_all(&self.prefix);
        let takes_all = found.subjects.iter().any(|pattern| subject::covers(pattern, &all));
        let checks = [
            // The others forget what was published twice when the server crashes.
            check("retention", &found.retention, &RetentionPolicy::Limits),
            check("storage", &found.storage, &StorageType::File),
            (!takes_all).then(|| different("subjects", format!("{:?}", found.subjects), format!("[{all:?}] or more"))),
            (found.duplicate_window < self.duplicate_window).then(|| {
                let needed = format!("{:?} or longer", self.duplicate_window);
                different("duplicate window", format!("{:?}", found.duplicate_window), needed)
            }),
            check("`no_ack`", &found.no_ack, &false),
            check("`sealed`", &found.sealed, &false),
        ];
        checks.into_iter().flatten().collect()
    }
}

/// How the consumer is to be.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerSettings {
    pub(crate) service: String,
    pub(crate) prefix: String,
    pub(crate) ack_wait: Duration,
}

/// The consumer of a service, which is made if there is none.
pub(crate) async fn consumer(stream: &Stream, settings: &ConsumerSettings) -> Result<PullConsumer, NatsError> {
    let name = &settings.service;
    let found = stream.get_or_create_consumer(name, settings.to_config()).await;
    let found = found.map_err(|error| NatsError::jet_stream(format!("find or create the consumer `{name}`"), error))?;
    match settings.differences(&found.cached_info().config) {
        same if same.is_empty() => Ok(found),
        differences => Err(NatsError::Mismatch { of: "consumer", name: name.clone(), differences }),
    }
}

impl ConsumerSettings {
    /// Attempts are counted in the database: here a message is delivered until it is recorded there.
    fn to_config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.service.clone()),
            description: Some(format!("What the service {} receives", self.service)),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_deliver: -1,
            filter_subject: subject::of_all(&self.prefix),
            ..pull::Config::default()
        }
    }

    fn differences(&self, found: &consumer::Config) -> Vec<Mismatch> {
        let needed = self.to_config();
        let takes_all =
            found.filter_subject.is_empty() || subject::covers(&found.filter_subject, &needed.filter_subject);
        let checks = [
            check("ack policy", &found.ack_policy, &needed.ack_policy),
            check("ack wait", &found.ack_wait, &needed.ack_wait),
            check("max deliver", &found.max_deliver, &needed.max_deliver),
            (!takes_all).then(|| {
                different(
                    "filter subject",
                    format!("{:?}", found.filter_subject),
                    format!("{:?}", needed.filter_subject),
                )
            }),
        ];
        checks.into_iter().flatten().collect()
    }
}

fn check<T: PartialEq + std::fmt::Debug>(setting: &'static str, found: &T, needed: &T) -> Option<Mismatch> {
    (found != needed).then(|| different(setting, format!("{found:?}"), format!("{needed:?}")))
}

fn different(setting: &'static str, is: String, needed: String) -> Mismatch {
    Mismatch { setting, is, needed }
}
