//! Events of other services: recorded like those of this one.

use std::collections::BTreeSet;

use mediator_core::Mediator;
use mediator_core::durable::{Due, ExternalEvent};

use crate::error::StoreError;
use crate::headers::Headers;
use crate::outbox::Outbox;
use crate::report;
use crate::store::{NewEvent, Recorded, Store};

/// The longest key that every database can index, in bytes.
const LONGEST_KEY: usize = 1024;

/// How deep JSON may be nested: no decoder follows it any further, and databases have limits of their own.
const DEEPEST: usize = 127;

/// What became of an event of another service; from [`Outbox::receive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It is recorded, with a delivery for each durable handler of it.
    Recorded,
    /// It is recorded, but its version is newer than this program knows. The deliveries wait for a worker of a newer program.
    Newer,
    /// It was recorded before.
    Already,
    /// This program has no durable handler of it.
    Unhandled,
    /// It cannot be recorded, for this reason.
    Malformed(String),
}

impl<S: Store> Outbox<S> {
    /// Records events that other services have published: each once, by its id, with a delivery for each durable handler that
    /// `mediator` has for it by its name; all of them in one transaction. When this returns, they are committed, and the broker
    /// can be told so.
    ///
    /// This is the way back of an [`ExternalBus`](crate::ExternalBus). Ordinary handlers do not run. What this service has
    /// published itself is for the bus to leave out.
    ///
    /// # Errors
    ///
    /// When the store cannot record; then nothing is recorded, and all can be given again.
    pub async fn receive(&self, mediator: &Mediator, events: &[ExternalEvent]) -> Result<Vec<Received>, StoreError> {
        let incoming: Vec<_> = events.iter().map(|event| Incoming::new(mediator, event)).collect();
        let to_record: Vec<_> = incoming.iter().filter(|it| it.fate.is_none()).map(Incoming::to_record).collect();
        let recorded = self.record_received(&to_record).await?;
        if recorded.contains(&Recorded::New) {
            self.shared.wake().await;
        }
        let mut recorded = recorded.into_iter();
        Ok(incoming.into_iter().map(|it| it.into_received(&mut recorded)).collect())
    }

    /// In one transaction, where there are transactions.
    async fn record_received(&self, events: &[NewEvent<'_>]) -> Result<Vec<Recorded>, StoreError> {
        let mut recorded = Vec::with_capacity(events.len());
        if events.is_empty() {
            return Ok(recorded);
        }
        if S::CONNECTION_TYPES.is_empty() {
            for event in events {
                recorded.push(self.record_alone(event).await?);
            }
            return Ok(recorded);
        }
        let mut transaction = self.shared.store.begin_for_user().await?;
        for event in events {
            match self.shared.store.record(&mut transaction, event).await {
                Ok(it) => recorded.push(it),
                Err(error) => {
                    if let Err(error) = S::rollback(transaction).await {
                        report::store_failed(&error);
                    }
                    return Err(error);
                }
            }
        }
        S::commit(transaction).await?;
        Ok(recorded)
    }
}

/// An event with what there is for it here.
struct Incoming<'a> {
    event: &'a ExternalEvent,
    headers: Option<String>,
    /// The names of its durable handlers.
    handlers: Vec<&'static str>,
    is_newer: bool,
    /// What becomes of it, if it is not recorded.
    fate: Option<Received>,
}

impl<'a> Incoming<'a> {
    fn new(mediator: &Mediator, event: &'a ExternalEvent) -> Self {
        let name = event.name.as_str();
        let of_it = mediator
            .durable_handlers()
            .iter()
            .filter(|handler| handler.event_name() == name || handler.event_aliases().contains(&name));
        let handlers: BTreeSet<_> = of_it.clone().map(|handler| handler.name()).collect();
        let fate = match malformed(event) {
            _ if handlers.is_empty() => Some(Received::Unhandled),
            reason => reason.map(Received::Malformed),
        };
        Self {
            event,
            headers: Headers::of_received(event).to_json(),
            handlers: handlers.into_iter().collect(),
            is_newer: of_it.map(|handler| handler.version()).max() < Some(event.version),
            fate,
        }
    }

    fn to_record(&self) -> NewEvent<'_> {
        let ExternalEvent { event_id, name, version, key, payload, .. } = self.event;
        NewEvent {
            event_id: *event_id,
            name,
            version: *version,
            key: key.as_deref(),
            payload,
            headers: self.headers.as_deref(),
            handlers: &self.handlers,
            due: Due::Now,
            received: true,
        }
    }

    /// Takes how it was recorded from those that were.
    fn into_received(self, recorded: &mut impl Iterator<Item = Recorded>) -> Received {
        match self.fate.map_or_else(|| Err(recorded.next()), Ok) {
            Ok(fate) => fate,
            Err(Some(Recorded::New)) if self.is_newer => Received::Newer,
            Err(Some(Recorded::New)) => Received::Recorded,
            Err(_) => Received::Already,
        }
    }
}

/// Why some database would refuse it, however often.
fn malformed(event: &ExternalEvent) -> Option<String> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&event.payload) {
        return Some(format!("the payload is not JSON: {error}"));
    }
    if depth(&event.payload) > DEEPEST {
        return Some(format!("the payload is nested deeper than {DEEPEST} levels"));
    }
    if event.version == 0 || i32::try_from(event.version).is_err() {
        return Some(format!("{} is no version", event.version));
    }
    let key = event.key.as_deref().unwrap_or_default();
    if key.len() > LONGEST_KEY {
        return Some(format!("the key has {} bytes, and {LONGEST_KEY} are allowed", key.len()));
    }
    key.contains('\0').then(|| "the key contains NUL".to_owned())
}

/// How deep valid JSON is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn brackets_in_texts_do_not_nest() {
        for (json, expected) in [("1", 0), ("[]", 1), (r#"{"a":[{}]}"#, 3), (r#"["[{\"[",[]]"#, 2), (r#"["\\",[]]"#, 2)]
        {
            assert_eq!(depth(json), expected, "{json}");
        }
    }
}
