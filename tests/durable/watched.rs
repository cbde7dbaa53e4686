//! A store that can be stopped, and made to fail, before and after each step.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mediator_core::EventId;
use mediator_outbox::StoreError;
use mediator_outbox::store::{
    Claim, Claimed, ConnectionType, Count, Delivery, DeliveryId, EventRow, Failure, Filter, Lease, NewEvent, Recorded,
    Store, StoredEvent, Wanted,
};

/// Called before and after each step, such as `before claim`; an error is passed on as the store's.
pub type Hook = Arc<dyn Fn(&'static str) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>> + Send + Sync>;

/// A store with a hook.
pub struct Watched<S> {
    store: S,
    hook: Hook,
}

impl<S> Watched<S> {
    /// Calls the hook for all that the store does.
    pub fn new(store: S, hook: Hook) -> Self {
        Self { store, hook }
    }
}

/// A transaction with a hook.
pub struct WatchedTransaction<T> {
    transaction: T,
    hook: Hook,
    is_users: bool,
}

impl<T: Deref> Deref for WatchedTransaction<T> {
    type Target = T::Target;

    fn deref(&self) -> &T::Target {
        &self.transaction
    }
}

impl<T: DerefMut> DerefMut for WatchedTransaction<T> {
    fn deref_mut(&mut self) -> &mut T::Target {
        &mut self.transaction
    }
}

macro_rules! watched {
    ($self:ident, $step:literal, $call:expr) => {{
        ($self.hook)(concat!("before ", $step)).await?;
        let done = $call.await?;
        ($self.hook)(concat!("after ", $step)).await?;
        Ok(done)
    }};
}

impl<S: Store> Store for Watched<S> {
    type Connection = S::Connection;
    type Transaction = WatchedTransaction<S::Transaction>;

    const CONNECTION_TYPES: &'static [ConnectionType<S::Connection>] = S::CONNECTION_TYPES;

    async fn record(&self, connection: &mut S::Connection, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        watched!(self, "record", self.store.record(connection, event))
    }

    async fn record_alone(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        watched!(self, "record alone", self.store.record_alone(event))
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        (self.hook)("before claim").await?;
        let claimed = self.store.claim(claim).await?;
        if !claimed.is_empty() {
            (self.hook)("after claim").await?;
        }
        Ok(claimed)
    }

    async fn events(&self, events: &[EventRow]) -> Result<Vec<StoredEvent>, StoreError> {
        watched!(self, "events", self.store.events(events))
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<DeliveryId>, StoreError> {
        watched!(self, "renew", self.store.renew(leases, lease))
    }

    async fn complete(&self, leases: &[Lease], keep: bool) -> Result<Vec<DeliveryId>, StoreError> {
        watched!(self, "complete", self.store.complete(leases, keep))
    }

    async fn complete_within(
        &self,
        connection: &mut S::Connection,
        lease: Lease,
        keep: bool,
    ) -> Result<bool, StoreError> {
        watched!(self, "complete within", self.store.complete_within(connection, lease, keep))
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<DeliveryId>, StoreError> {
        watched!(self, "fail", self.store.fail(failures))
    }

    async fn give_back(&self, leases: &[Lease]) -> Result<Vec<DeliveryId>, StoreError> {
        watched!(self, "give back", self.store.give_back(leases))
    }

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        (self.hook)("before begin").await?;
        let transaction = self.store.begin().await?;
        Ok(WatchedTransaction { transaction, hook: self.hook.clone(), is_users: false })
    }

    async fn begin_for_user(&self) -> Result<Self::Transaction, StoreError> {
        let transaction = self.store.begin_for_user().await?;
        Ok(WatchedTransaction { transaction, hook: self.hook.clone(), is_users: true })
    }

    async fn commit(it: Self::Transaction) -> Result<(), StoreError> {
        let (before, after) = match it.is_users {
            true => ("before the user's commit", "after the user's commit"),
            false => ("before commit", "after commit"),
        };
        (it.hook)(before).await?;
        S::commit(it.transaction).await?;
        (it.hook)(after).await
    }

    async fn rollback(it: Self::Transaction) -> Result<(), StoreError> {
        S::rollback(it.transaction).await
    }

    async fn next_due(&self, wanted: &[Wanted<'_>]) -> Result<Option<Duration>, StoreError> {
        watched!(self, "next due", self.store.next_due(wanted))
    }

    async fn unschedule(&self, connection: Option<&mut S::Connection>, event: EventId) -> Result<u64, StoreError> {
        self.store.unschedule(connection, event).await
    }

    async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        self.store.counts().await
    }

    async fn list(&self, filter: &Filter, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        self.store.list(filter, after, limit).await
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.store.count(filter).await
    }

    async fn event_of(&self, delivery: DeliveryId) -> Result<Option<StoredEvent>, StoreError> {
        self.store.event_of(delivery).await
    }

    async fn retry(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        self.store.retry(filter, limit).await
    }

    async fn discard(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        self.store.discard(filter, limit).await
    }

    async fn purge(&self, keep_done: Duration, keep_received: Duration) -> Result<u64, StoreError> {
        watched!(self, "purge", self.store.purge(keep_done, keep_received))
    }

    async fn repair(&self) -> Result<u64, StoreError> {
        self.store.repair().await
    }

    async fn announce(&self) {
        self.store.announce().await;
    }

    async fn announced(&self) {
        self.store.announced().await;
    }

    fn poll_interval(&self) -> Duration {
        self.store.poll_interval()
    }

    async fn now(&self) -> Result<SystemTime, StoreError> {
        self.store.now().await
    }
}

impl<S> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WatchedTransaction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedTransaction").finish_non_exhaustive()
    }
}
