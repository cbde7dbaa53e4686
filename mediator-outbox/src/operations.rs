//! What operators see and do: deliveries and statistics.

use std::collections::BTreeMap;
use std::time::Duration;

use mediator_core::EventId;
use serde::Serialize;

use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::report::Ended;
use crate::store::{Count, Delivery, DeliveryId, Filter, State, Store, StoredEvent};

/// The recorded deliveries of an outbox, or those of them that a filter leaves.
///
/// ```no_run
/// use std::time::Duration;
/// use mediator_outbox::{SqliteOutbox, State, StoreError};
///
/// # async fn f(outbox: SqliteOutbox) -> Result<(), StoreError> {
/// let dead = outbox.deliveries().in_state(State::Dead).to_handler("billing.invoice");
/// for delivery in dead.list().await? {
///     println!("{} after {} attempts: {:?}", delivery.id, delivery.attempts, delivery.last_error);
/// }
/// dead.retry().await?;
/// outbox.deliveries().in_state(State::Dead).older_than(Duration::from_secs(30 * 24 * 3600)).discard().await?;
/// # Ok(()) }
/// ```
#[must_use = "does nothing until it is listed, counted, tried again or discarded"]
pub struct Deliveries<S: Store> {
    outbox: Outbox<S>,
    filter: Filter,
    after: Option<DeliveryId>,
    limit: u32,
}

/// As many deliveries as are listed unless somebody says otherwise.
const PAGE: u32 = 100;

impl<S: Store> Deliveries<S> {
    pub(crate) fn new(outbox: Outbox<S>) -> Self {
        Self { outbox, filter: Filter::default(), after: None, limit: PAGE }
    }

    /// Only this one.
    pub fn with_id(mut self, delivery: DeliveryId) -> Self {
        self.filter.delivery = Some(delivery);
        self
    }

    /// Only those to this handler, by the name that was recorded.
    pub fn to_handler(mut self, name: impl Into<String>) -> Self {
        self.filter.handler = Some(name.into());
        self
    }

    /// Only those of events of this name.
    pub fn of_event(mut self, name: impl Into<String>) -> Self {
        self.filter.event_name = Some(name.into());
        self
    }

    /// Only those of this event.
    pub fn of_event_id(mut self, event: EventId) -> Self {
        self.filter.event_id = Some(event);
        self
    }

    /// Only those in this state.
    pub fn in_state(mut self, state: State) -> Self {
        self.filter.state = Some(state);
        self
    }

    /// Only those that were recorded so long ago, or longer.
    pub fn older_than(mut self, age: Duration) -> Self {
        self.filter.older_than = Some(age);
        self
    }

    /// At most so many, where 100 are listed otherwise and all are tried again or discarded.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Only those behind this one: the next page.
    pub fn after(mut self, delivery: DeliveryId) -> Self {
        self.after = Some(delivery);
        self
    }

    /// The deliveries, in the order of their recording.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn list(&self) -> Result<Vec<Delivery>, StoreError> {
        self.outbox.store().list(&self.filter, self.after, self.limit).await
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn count(&self) -> Result<u64, StoreError> {
        self.outbox.store().count(&self.filter).await
    }

    /// The event of a delivery, with its payload.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn event(&self, delivery: DeliveryId) -> Result<Option<StoredEvent>, StoreError> {
        self.outbox.store().event_of(delivery).await
    }

    /// Makes those of them that are dead ready again, with all attempts before them; returns how many those were.
    ///
    /// # Errors
    ///
    /// When the store cannot do it; some may be ready again.
    pub async fn retry(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let count = self.outbox.store().retry(&self.filter, BATCH).await?;
            total += count;
            if count < u64::from(BATCH) {
                break;
            }
        }
        self.outbox.shared.wake().await;
        Ok(total)
    }

    /// Deletes those of them that are dead; returns how many those were.
    ///
    /// # Errors
    ///
    /// When the store cannot do it; some may be deleted.
    pub async fn discard(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let count = self.outbox.store().discard(&self.filter, BATCH).await?;
            total += count;
            if count < u64::from(BATCH) {
                break;
            }
        }
        // Others of their keys may go on.
        self.outbox.shared.wake().await;
        Ok(total)
    }
}

/// How many are changed by one statement.
const BATCH: u32 = 500;

impl<S: Store> std::fmt::Debug for Deliveries<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliveries").field("filter", &self.filter).finish_non_exhaustive()
    }
}

/// How many deliveries an outbox has.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    total: HandlerStats,
    handlers: BTreeMap<String, HandlerStats>,
}

/// How many deliveries there are to one handler, or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HandlerStats {
    ready: u64,
    running: u64,
    waiting: u64,
    dead: u64,
    unknown: u64,
    #[serde(rename = "oldest_ready_seconds", serialize_with = "seconds")]
    oldest_ready: Option<Duration>,
}

fn seconds<S: serde::Serializer>(age: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_secs_f64()).serialize(serializer)
}

impl Stats {
    pub(crate) fn new(counts: Vec<Count>, is_known: impl Fn(&Count) -> bool) -> Self {
        let mut stats = Self::default();
        for count in counts {
            let is_known = is_known(&count);
            stats.total.add(&count, is_known);
            stats.handlers.entry(count.handler.clone()).or_default().add(&count, is_known);
        }
        stats
    }

    /// Those of one handler, by the name that was recorded; `None` if it has none.
    #[must_use]
    pub fn handler(&self, name: &str) -> Option<&HandlerStats> {
        self.handlers.get(name)
    }

    /// Those of each handler that has some.
    pub fn handlers(&self) -> impl Iterator<Item = (&str, &HandlerStats)> {
        self.handlers.iter().map(|(name, stats)| (name.as_str(), stats))
    }
}

impl std::ops::Deref for Stats {
    type Target = HandlerStats;

    /// Those in all.
    fn deref(&self) -> &HandlerStats {
        &self.total
    }
}

impl HandlerStats {
    fn add(&mut self, count: &Count, is_known: bool) {
        match count.state {
            State::Ready => self.ready += count.count,
            State::Running => self.running += count.count,
            State::Waiting => self.waiting += count.count,
            State::Dead => self.dead += count.count,
            State::Done => {}
        }
        if !is_known && matches!(count.state, State::Ready | State::Waiting) {
            self.unknown += count.count;
        }
        if count.state == State::Ready {
            self.oldest_ready = self.oldest_ready.max(count.oldest_due);
        }
    }

    /// Those that are due, or will be.
    #[must_use]
    pub fn ready(&self) -> u64 {
        self.ready
    }

    /// Those that a worker has claimed.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.running
    }

    /// Those behind an unfinished one of their key.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Those that were given up.
    #[must_use]
    pub fn dead(&self) -> u64 {
        self.dead
    }

    /// Those of the ready and waiting ones whose handler, or the version of whose event, no mediator of this process knows.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Those that are ready, waiting or running.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.ready + self.waiting + self.running
    }

    /// For how long the first of the ready ones has been due; `None` if none is.
    #[must_use]
    pub fn oldest_ready(&self) -> Option<Duration> {
        self.oldest_ready
    }
}

/// What the workers of this process have done with an outbox since it was made; from
/// [`Outbox::attempts`](crate::Outbox::attempts).
///
/// The numbers only grow: what happened in a minute is the difference of two.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let outbox = mediator_outbox::InMemoryOutbox::new();
/// let before = outbox.attempts();
/// // … a minute later:
/// let done = outbox.attempts().done - before.done;
/// # assert_eq!(done, 0);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attempts {
    /// Attempts that have succeeded.
    pub done: u64,
    /// Attempts that have failed and are made again.
    pub retried: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// How long all of these ran together. In JSON, as seconds.
    #[serde(rename = "ran_seconds", serialize_with = "all_seconds")]
    pub ran: Duration,
}

fn all_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Attempts {
    pub(crate) fn add(&mut self, ended: Ended, ran: Duration) {
        match ended {
            Ended::Done => self.done += 1,
            Ended::Retried => self.retried += 1,
            Ended::Dead => self.dead += 1,
        }
        self.ran += ran;
    }
}
