//! Memory.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use mediator_core::EventId;
use tokio::sync::Notify;

use super::{
    Claim, Claimed, ConnectionType, Count, Delivery, DeliveryId, EventRow, Failure, Filter, Lease, NewEvent, Recorded,
    Store, StoredEvent, Wanted,
};
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};
use tables::{Tables, later};

mod tables;

/// Keeps deliveries in memory, for as long as the process lives.
///
/// It holds a number of unfinished deliveries at most: ready, running and waiting ones, not those that are dead. Whoever records
/// more is refused ([`StoreErrorKind::NoRoom`]) and can [wait](Self::room).
///
/// It has no transactions: nobody has a [`NoConnection`].
pub struct MemoryStore {
    clock: Clock,
    bound: usize,
    tables: Mutex<Tables>,
    room: Notify,
}

/// The connection to a [`MemoryStore`], of which there is none.
#[derive(Debug)]
pub enum NoConnection {}

/// The transaction of a [`MemoryStore`], of which there is none.
#[derive(Debug)]
pub struct NoTransaction(NoConnection);

impl Deref for NoTransaction {
    type Target = NoConnection;

    fn deref(&self) -> &NoConnection {
        &self.0
    }
}

impl DerefMut for NoTransaction {
    fn deref_mut(&mut self) -> &mut NoConnection {
        &mut self.0
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("clock", &self.clock).field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A store for at most `bound` unfinished deliveries.
    #[must_use]
    pub fn new(clock: Clock, bound: usize) -> Self {
        Self { clock, bound, tables: Mutex::default(), room: Notify::new() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An event with more handlers than there may be deliveries would otherwise never fit.
    fn fits(&self, tables: &Tables, deliveries: usize) -> bool {
        let unfinished = tables.unfinished();
        unfinished == 0 || unfinished + deliveries <= self.bound
    }

    /// Changes something that may make room.
    fn change<R>(&self, change: impl FnOnce(&mut Tables, SystemTime) -> R) -> R {
        let now = self.clock.now();
        let mut tables = self.tables();
        let result = change(&mut tables, now);
        let has_room = tables.unfinished() < self.bound;
        drop(tables);
        if has_room {
            self.room.notify_waiters();
        }
        result
    }
}

impl Store for MemoryStore {
    type Connection = NoConnection;
    type Transaction = NoTransaction;

    const CONNECTION_TYPES: &'static [ConnectionType<NoConnection>] = &[];

    async fn record(&self, connection: &mut NoConnection, _: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        match *connection {}
    }

    async fn record_alone(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        let mut tables = self.tables();
        if !self.fits(&tables, event.handlers.len()) && !tables.knows(event.event_id) {
            return Err(StoreError::new("record an event", StoreErrorKind::NoRoom, None));
        }
        Ok(tables.record(event, self.clock.now()))
    }

    async fn record_in_delivery(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        Ok(self.tables().record(event, self.clock.now()))
    }

    /// Somebody else may take the room first: record, and wait again.
    async fn room(&self, deliveries: usize) {
        loop {
            let room = self.room.notified();
            if self.fits(&self.tables(), deliveries) {
                return;
            }
            room.await;
        }
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.tables().claim(claim, self.clock.now()))
    }

    async fn events(&self, events: &[EventRow]) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.tables().events(events))
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<DeliveryId>, StoreError> {
        Ok(self.tables().renew(leases, later(self.clock.now(), lease)))
    }

    async fn complete(&self, leases: &[Lease], keep: bool) -> Result<Vec<DeliveryId>, StoreError> {
        Ok(self.change(|tables, now| tables.complete(leases, keep, now)))
    }

    async fn complete_within(
        &self,
        connection: &mut NoConnection,
        _lease: Lease,
        _keep: bool,
    ) -> Result<bool, StoreError> {
        match *connection {}
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<DeliveryId>, StoreError> {
        Ok(self.change(|tables, now| tables.fail(failures, now)))
    }

    async fn give_back(&self, leases: &[Lease]) -> Result<Vec<DeliveryId>, StoreError> {
        Ok(self.tables().give_back(leases, self.clock.now()))
    }

    async fn begin(&self) -> Result<NoTransaction, StoreError> {
        let why = "memory has no transactions";
        Err(StoreError::new("begin a transaction", StoreErrorKind::Other, Some(why.into())))
    }

    async fn commit(transaction: NoTransaction) -> Result<(), StoreError> {
        match transaction.0 {}
    }

    async fn rollback(transaction: NoTransaction) -> Result<(), StoreError> {
        match transaction.0 {}
    }

    async fn next_due(&self, wanted: &[Wanted<'_>]) -> Result<Option<Duration>, StoreError> {
        let due = self.tables().next_due(wanted);
        Ok(due.map(|due| due.duration_since(self.clock.now()).unwrap_or_default()))
    }

    async fn unschedule(&self, connection: Option<&mut NoConnection>, event: EventId) -> Result<u64, StoreError> {
        match connection {
            Some(connection) => match *connection {},
            None => Ok(self.change(|tables, _| tables.unschedule(event))),
        }
    }

    async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        Ok(self.tables().counts(self.clock.now()))
    }

    async fn list(&self, filter: &Filter, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.tables().list(filter, after, limit, self.clock.now()))
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        Ok(self.tables().count(filter, self.clock.now()))
    }

    async fn event_of(&self, delivery: DeliveryId) -> Result<Option<StoredEvent>, StoreError> {
        Ok(self.tables().event_of(delivery))
    }

    async fn retry(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        Ok(self.tables().retry(filter, limit, self.clock.now()))
    }

    async fn discard(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        Ok(self.tables().discard(filter, limit, self.clock.now()))
    }

    async fn purge(&self, keep_done: Duration, keep_received: Duration) -> Result<u64, StoreError> {
        Ok(self.tables().purge(keep_done, keep_received, self.clock.now()))
    }

    async fn repair(&self) -> Result<u64, StoreError> {
        // Nobody changes rows by hand.
        Ok(0)
    }

    /// Only a [`Clock`] that was moved by hand, or that jumps, needs asking.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn advance(&self, by: Duration) -> bool {
        self.clock.try_advance(by)
    }

    async fn now(&self) -> Result<SystemTime, StoreError> {
        Ok(self.clock.now())
    }
}
