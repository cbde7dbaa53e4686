//! Where deliveries are kept: what every store can do, and those that ship.

use std::ops::DerefMut;
use std::time::{Duration, SystemTime};

use mediator_core::EventId;
pub use mediator_core::durable::Due;
use uuid::Uuid;

pub use crate::connection::ConnectionType;
use crate::error::StoreError;

#[cfg(feature = "testing")]
pub mod compliance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod kept;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::{MemoryStore, NoConnection, NoTransaction};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresStore, PostgresTransaction};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteStore, SqliteTransaction};

/// Keeps events and their deliveries: one row for each event, one for each durable handler of it.
///
/// # Deliveries
///
/// A delivery is in one [`State`]. `due_at` means *not before* for one that is ready, and *the lease ends* for one that is
/// running, so a claim takes up what a crashed worker left without anything else. Each claim and each transition out of a claim
/// raises the delivery's token. A [`Lease`] is a delivery and its token at the claim; a transition whose lease is not the current
/// one changes nothing, and its delivery is missing in what the transition returns.
///
/// All methods of one store are called at the same time from many tasks. Dropping the future of one leaves either all of its
/// effects or none.
pub trait Store: Send + Sync + Sized + 'static {
    /// What events are recorded through, and what an effectively-once handler borrows.
    type Connection: Send + 'static;

    /// A transaction of the store's own.
    type Transaction: DerefMut<Target = Self::Connection> + Send + 'static;

    /// What a publish can lend for [`record`](Self::record); empty if there are no connections.
    const CONNECTION_TYPES: &'static [ConnectionType<Self::Connection>];

    /// Records an event with its deliveries through a connection of the user's, in one statement: in the transaction that is
    /// open there, if one is. An event that is recorded already is left as it is.
    fn record(
        &self,
        connection: &mut Self::Connection,
        event: &NewEvent<'_>,
    ) -> impl Future<Output = Result<Recorded, StoreError>> + Send;

    /// [Records](Self::record) an event on its own: it is committed when this returns.
    fn record_alone(&self, event: &NewEvent<'_>) -> impl Future<Output = Result<Recorded, StoreError>> + Send;

    /// The same while a delivery runs: never refused for want of room, which the delivery itself may have to make.
    fn record_in_delivery(&self, event: &NewEvent<'_>) -> impl Future<Output = Result<Recorded, StoreError>> + Send {
        self.record_alone(event)
    }

    /// Resolves when there is room for so many deliveries, which [`record_alone`](Self::record_alone) refused.
    fn room(&self, deliveries: usize) -> impl Future<Output = ()> + Send {
        let _ = deliveries;
        std::future::ready(())
    }

    /// Takes deliveries that are due, the longest due first for each handler, and counts an attempt for each.
    ///
    /// Among those of one handler and one key, only the first one that is not finished can be claimed.
    fn claim(&self, claim: &Claim<'_>) -> impl Future<Output = Result<Vec<Claimed>, StoreError>> + Send;

    /// The events of claimed deliveries, each once; those that do not exist are left out.
    fn events(&self, events: &[EventRow]) -> impl Future<Output = Result<Vec<StoredEvent>, StoreError>> + Send;

    /// Moves the end of leases to `lease` from now; returns the deliveries whose leases still held.
    fn renew(
        &self,
        leases: &[Lease],
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<DeliveryId>, StoreError>> + Send;

    /// Claimed deliveries are done; with `keep` they stay as [`State::Done`] until they are [purged](Self::purge), otherwise
    /// they are deleted.
    fn complete(
        &self,
        leases: &[Lease],
        keep: bool,
    ) -> impl Future<Output = Result<Vec<DeliveryId>, StoreError>> + Send;

    /// [Completes](Self::complete) one delivery in the transaction that is open in `connection`; whether its lease held.
    fn complete_within(
        &self,
        connection: &mut Self::Connection,
        lease: Lease,
        keep: bool,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Attempts of claimed deliveries have failed.
    fn fail(&self, failures: &[Failure]) -> impl Future<Output = Result<Vec<DeliveryId>, StoreError>> + Send;

    /// Claimed deliveries that were not started are due again at once, and the attempt does not count. How often their lease was
    /// lost is kept.
    fn give_back(&self, leases: &[Lease]) -> impl Future<Output = Result<Vec<DeliveryId>, StoreError>> + Send;

    /// Begins a transaction for an effectively-once handler; one that can write at once.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, StoreError>> + Send;

    /// [Begins](Self::begin) a transaction for somebody who publishes, maybe while a worker's transaction is open.
    fn begin_for_user(&self) -> impl Future<Output = Result<Self::Transaction, StoreError>> + Send {
        self.begin()
    }

    /// Commits a transaction.
    fn commit(transaction: Self::Transaction) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rolls a transaction back.
    fn rollback(transaction: Self::Transaction) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// In how long the first delivery is due that a claim for these handlers could take, or whose lease ends; zero if one is due
    /// now. One behind its key does not count, nor does a handler whose limit is 0.
    fn next_due(&self, wanted: &[Wanted<'_>]) -> impl Future<Output = Result<Option<Duration>, StoreError>> + Send;

    /// Deletes the events' deliveries that nobody has started, and returns how many; in the transaction of `connection`, or on
    /// its own.
    fn unschedule(
        &self,
        connection: Option<&mut Self::Connection>,
        event: EventId,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// How many unfinished and dead deliveries there are, by handler, event, version and state.
    fn counts(&self) -> impl Future<Output = Result<Vec<Count>, StoreError>> + Send;

    /// Deliveries in the order of their recording: at most `limit`, behind the one that is named.
    fn list(
        &self,
        filter: &Filter,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Delivery>, StoreError>> + Send;

    /// How many deliveries there are.
    fn count(&self, filter: &Filter) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The event of a delivery, with its payload.
    fn event_of(&self, delivery: DeliveryId) -> impl Future<Output = Result<Option<StoredEvent>, StoreError>> + Send;

    /// Makes dead deliveries ready again, without attempts: at most `limit`, the first ones first. Returns how many.
    fn retry(&self, filter: &Filter, limit: u32) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes dead deliveries: at most `limit`, the first ones first. Returns how many.
    fn discard(&self, filter: &Filter, limit: u32) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes what was done so long ago, and events that have no delivery any more, received ones only when they are that old:
    /// at most a few hundred of each. Returns how many; zero if there is nothing more to delete.
    fn purge(
        &self,
        keep_done: Duration,
        keep_received: Duration,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Makes deliveries ready that wait for nobody, and returns how many: zero unless rows were changed by hand.
    fn repair(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Tells other processes that something was recorded.
    fn announce(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Resolves when another process [announces](Self::announce) something; never, where only asking helps.
    fn announced(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// How often to ask whether something is due, where nobody announces it.
    fn poll_interval(&self) -> Duration;

    /// Moves the store's clock, if it is one that stands still; whether it is.
    fn advance(&self, by: Duration) -> bool {
        let _ = by;
        false
    }

    /// What time it is there.
    fn now(&self) -> impl Future<Output = Result<SystemTime, StoreError>> + Send;
}

/// The number of a delivery, in the order of recording.
pub type DeliveryId = i64;

/// The number of an event in its table.
pub type EventRow = i64;

/// An event to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// Recorded once.
    pub event_id: EventId,
    /// The event's stable name.
    pub name: &'a str,
    /// The version of its shape.
    pub version: u32,
    /// What its deliveries are ordered by, if they are.
    pub key: Option<&'a str>,
    /// JSON.
    pub payload: &'a str,
    /// A JSON object.
    pub headers: Option<&'a str>,
    /// The names of the durable handlers, none twice.
    pub handlers: &'a [&'a str],
    /// When the deliveries are due.
    pub due: Due,
    /// Whether it came from another service: kept after its last delivery, so that it is not received twice.
    pub received: bool,
}

/// Whether an event was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded now.
    New,
    /// It was recorded before.
    Already,
}

/// What to claim.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who claims; for people to read.
    pub owner: Uuid,
    /// How long until others may take it up again.
    pub lease: Duration,
    /// For which handlers.
    pub wanted: &'a [Wanted<'a>],
}

/// Deliveries of one event to one handler.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The handler's name, or an earlier one.
    pub handler: &'a str,
    /// The event's name, or an earlier one.
    pub event: &'a str,
    /// The highest version that can be decoded.
    pub version: u32,
    /// How many at most.
    pub limit: u32,
}

/// A claimed delivery.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Proves the claim.
    pub lease: Lease,
    /// This attempt, from 1.
    pub attempts: u32,
    /// How many attempts in a row, up to this one, did not end while their lease held.
    pub lost: u32,
    /// The handler's name, as it was recorded.
    pub handler: String,
    /// The event's name, as it was recorded.
    pub event_name: String,
    /// The version of the payload.
    pub version: u32,
    /// The key, if there is one.
    pub key: Option<String>,
    /// The event.
    pub event: EventRow,
    /// When it was recorded.
    pub recorded_at: SystemTime,
    /// When it was due, or its lost lease ended.
    pub due_at: SystemTime,
}

/// Who claimed a delivery, so that others cannot end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its token at the claim.
    pub token: i64,
}

/// A recorded event.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its number.
    pub row: EventRow,
    /// Its identity.
    pub event_id: EventId,
    /// JSON.
    pub payload: String,
    /// A JSON object.
    pub headers: Option<String>,
}

/// A failed attempt.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Of which delivery.
    pub lease: Lease,
    /// What happens next.
    pub then: Then,
    /// What happened.
    pub error: String,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another attempt, not before so long from now.
    Retry(Duration),
    /// None: it is dead, and what is behind it in its key waits.
    Dead,
    /// None: it is dead, and what is behind it in its key goes on.
    DeadKeyGoesOn,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// To be claimed when it is due.
    Ready,
    /// Claimed.
    Running,
    /// Behind an unfinished delivery of its key.
    Waiting,
    /// Given up.
    Dead,
    /// Done, and kept for a while.
    Done,
}

/// How many deliveries of one kind there are.
#[derive(Clone, Debug)]
pub struct Count {
    /// The handler's name, as recorded.
    pub handler: String,
    /// The event's name, as recorded.
    pub event_name: String,
    /// The version of the payloads.
    pub version: u32,
    /// Where they stand.
    pub state: State,
    /// How many.
    pub count: u64,
    /// For how long the first one has been due; `None` if it is not due yet.
    pub oldest_due: Option<Duration>,
}

/// Which deliveries are meant: those that fit all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// This one.
    pub delivery: Option<DeliveryId>,
    /// Those to this handler.
    pub handler: Option<String>,
    /// Those of events of this name.
    pub event_name: Option<String>,
    /// Those of this event.
    pub event_id: Option<EventId>,
    /// Those in this state.
    pub state: Option<State>,
    /// Those recorded so long ago, or longer.
    pub older_than: Option<Duration>,
}

/// A delivery, for people to look at.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The handler's name.
    pub handler: String,
    /// The event's identity.
    pub event_id: EventId,
    /// The event's name.
    pub event_name: String,
    /// The version of the payload.
    pub version: u32,
    /// The key, if there is one.
    pub key: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How many attempts were started.
    pub attempts: u32,
    /// The error of the last attempt that failed.
    pub last_error: Option<String>,
    /// The event's headers, a JSON object.
    pub headers: Option<String>,
    /// When it was recorded. In JSON, as the other times, in seconds since 1970.
    #[serde(serialize_with = "seconds")]
    pub recorded_at: SystemTime,
    /// When it is due, or its lease ends.
    #[serde(serialize_with = "seconds")]
    pub due_at: SystemTime,
    /// When it was done or given up.
    #[serde(serialize_with = "optional_seconds")]
    pub finished_at: Option<SystemTime>,
}

fn seconds<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

fn optional_seconds<S: serde::Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}
