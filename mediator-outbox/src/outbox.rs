//! The outbox that a mediator records in.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mediator_core::durable::{DurableHandler, External, LentToOutbox, OutboxFuture, Recording};
use mediator_core::{EventId, Mediator};
use tokio::sync::watch;

use crate::connection;
use crate::error::{StoreError, StoreErrorKind};
use crate::headers::Headers;
use crate::operations::{Attempts, Deliveries, Stats};
use crate::report::{self, Ended};
use crate::store::{Count, NewEvent, Recorded, Store, Wanted};
use crate::worker::{ANY_VERSION, WorkerBuilder, is_in_delivery};

/// Durable deliveries in a [`Store`]: a [`SqliteOutbox`](crate::SqliteOutbox), a `PostgresOutbox` or an
/// [`InMemoryOutbox`](crate::InMemoryOutbox).
///
/// Cheap to clone; all clones share the store.
pub struct Outbox<S: Store> {
    pub(crate) shared: Arc<Shared<S>>,
    requires_transaction: bool,
}

/// What the clones of an outbox, its workers and its transactions share.
pub(crate) struct Shared<S> {
    pub(crate) store: S,
    /// Something was recorded in this process.
    pub(crate) recorded: watch::Sender<()>,
    /// What the handlers of the mediators that were built with it can handle.
    known: Mutex<Known>,
    attempts: Mutex<Attempts>,
}

impl<S: Store> Outbox<S> {
    /// An outbox in a store.
    pub fn in_store(store: S) -> Self {
        report::describe();
        let shared =
            Shared { store, recorded: watch::Sender::new(()), known: Mutex::default(), attempts: Mutex::default() };
        Self { shared: Arc::new(shared), requires_transaction: false }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.shared.store
    }

    /// Makes it an error to publish an event with durable handlers without lending a connection, where otherwise the deliveries
    /// would be recorded in a transaction of their own.
    #[must_use]
    pub fn require_transaction(self) -> Self {
        Self { requires_transaction: true, ..self }
    }

    /// Begins a transaction that can be lent to publishes, by `.with(&mut *tx)`, and wakes the workers when it is committed.
    ///
    /// On SQLite it takes the write lock at once, since one that reads first and writes later fails if another connection has
    /// written meanwhile.
    ///
    /// # Errors
    ///
    /// When the database gives none.
    pub async fn begin(&self) -> Result<OutboxTransaction<S>, StoreError> {
        let transaction = self.shared.store.begin_for_user().await?;
        Ok(OutboxTransaction { transaction, shared: self.shared.clone() })
    }

    /// Wakes the workers of this process, and on PostgreSQL those of others: after a commit of a transaction that
    /// [`begin`](Self::begin) did not begin, so that they need not ask first.
    pub async fn wake(&self) {
        self.shared.wake().await;
    }

    /// A worker that delivers to the durable handlers of `mediator`, which it keeps, also through a weak handle.
    ///
    /// # Panics
    ///
    /// If the handle is weak, and the mediator is dropped or not built yet: there is nobody to deliver to.
    #[must_use = "a worker does nothing until `start` or `drain`"]
    pub fn worker(&self, mediator: &Mediator) -> WorkerBuilder<S> {
        let mediator = mediator.upgrade().expect("a mediator that is built, and not dropped");
        WorkerBuilder::new(self.clone(), mediator)
    }

    /// The recorded deliveries: to be listed, counted, tried again or discarded.
    pub fn deliveries(&self) -> Deliveries<S> {
        Deliveries::new(self.clone())
    }

    /// How many deliveries there are, for each handler and in all.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let counts = self.shared.store.counts().await?;
        let known = self.known();
        Ok(Stats::new(counts, |count| is_known(&known, count)))
    }

    /// How many attempts the workers of this process have made, and how long those ran.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        *self.shared.attempts()
    }

    /// Tells those who watch how many deliveries there are.
    pub(crate) async fn tell_counts(&self) -> Result<(), StoreError> {
        if report::wants_counts() {
            let counts = self.shared.store.counts().await?;
            let known = self.known();
            report::counts(&counts, |count| is_known(&known, count));
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In how long the first delivery to a handler of a mediator is due.
    async fn next_due(&self, mediator: &Mediator) -> Result<Option<Duration>, StoreError> {
        let handlers = mediator.durable_handlers().iter();
        let wanted = handlers.flat_map(|handler| {
            names(handler).map(|(name, event)| Wanted { handler: name, event, version: handler.version(), limit: 1 })
        });
        self.shared.store.next_due(&wanted.collect::<Vec<_>>()).await
    }

    async fn record_event(&self, recording: Recording<'_>) -> Result<(), crate::BoxError> {
        let headers = Headers::of(&recording).to_json();
        let event = NewEvent {
            event_id: recording.event_id,
            name: recording.name,
            version: recording.version,
            key: recording.key.as_deref(),
            payload: &recording.payload,
            headers: headers.as_deref(),
            handlers: recording.handlers,
            due: recording.due,
            received: false,
        };
        if let Some(mut connection) = connection::borrow(S::CONNECTION_TYPES, recording.lent)? {
            self.shared.store.record(&mut connection, &event).await?;
            return Ok(());
        }
        if self.requires_transaction {
            return Err("the outbox requires a transaction, and this publish lends none; begin one and lend it: \
                        `.with(&mut *tx).publish(…)`"
                .into());
        }
        if self.record_alone(&event).await? == Recorded::New {
            self.shared.wake().await;
        }
        Ok(())
    }

    /// Waits for room where there is a bound; not within a delivery, which would wait for itself.
    pub(crate) async fn record_alone(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        if is_in_delivery() {
            return self.shared.store.record_in_delivery(event).await;
        }
        loop {
            match self.shared.store.record_alone(event).await {
                Err(error) if error.kind() == StoreErrorKind::NoRoom => {
                    self.shared.store.room(event.handlers.len()).await;
                }
                recorded => return recorded,
            }
        }
    }
}

impl<S> Shared<S> {
    pub(crate) fn attempted(&self, ended: Ended, ran: Duration) {
        self.attempts().add(ended, ran);
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Shared<S> {
    /// Wakes the workers of this process, and tells others.
    pub(crate) async fn wake(&self) {
        self.wake_this_process();
        self.store.announce().await;
    }

    pub(crate) fn wake_this_process(&self) {
        self.recorded.send_replace(());
    }
}

impl<S: Store> mediator_core::durable::Outbox for Outbox<S> {
    fn connection(&self) -> Option<TypeId> {
        (!S::CONNECTION_TYPES.is_empty()).then(TypeId::of::<S::Connection>)
    }

    fn attach(&self, handlers: &[DurableHandler]) {
        let mut known = self.known();
        for handler in handlers {
            for (name, event) in names(handler) {
                let version = known.entry((name.to_owned(), event.to_owned())).or_default();
                *version = (*version).max(handler.version());
            }
        }
    }

    fn attach_external(&self, external: &External) {
        let mut known = self.known();
        for event in external.event_names() {
            known.insert((external.name().to_owned(), event.to_owned()), ANY_VERSION);
        }
    }

    fn record<'a>(&'a self, recording: Recording<'a>) -> OutboxFuture<'a, ()> {
        Box::pin(self.record_event(recording))
    }

    fn settle<'a>(&'a self, mediator: &'a Mediator) -> OutboxFuture<'a, ()> {
        Box::pin(async move {
            loop {
                self.worker(mediator).drain().await?;
                let Some(due) = self.next_due(mediator).await? else { return Ok(()) };
                // What runs in another worker is waited for; its lease must not end because a clock is moved.
                let is_at_rest = self.stats().await?.running() == 0;
                if !(is_at_rest && self.shared.store.advance(due)) {
                    tokio::time::sleep(due.min(Duration::from_millis(5))).await;
                }
            }
        })
    }

    fn unschedule<'a>(&'a self, event: EventId, lent: LentToOutbox<'a>) -> OutboxFuture<'a, u64> {
        Box::pin(async move {
            let mut connection = connection::borrow(S::CONNECTION_TYPES, lent)?;
            Ok(self.shared.store.unschedule(connection.as_mut().map(|connection| &mut ***connection), event).await?)
        })
    }
}

/// The highest version that can be handled, by the names of handlers and events.
type Known = BTreeMap<(String, String), u32>;

/// Whether a mediator of this process could handle these.
fn is_known(known: &Known, count: &Count) -> bool {
    let key = (count.handler.clone(), count.event_name.clone());
    known.get(&key).is_some_and(|version| count.version <= *version)
}

/// Every name under which deliveries to a handler may have been recorded, with every name of its event.
pub(crate) fn names(handler: &DurableHandler) -> impl Iterator<Item = (&'static str, &'static str)> {
    let events = || [handler.event_name()].into_iter().chain(handler.event_aliases().iter().copied());
    let handlers = [handler.name()].into_iter().chain(handler.aliases().iter().copied());
    let events: Vec<_> = events().collect();
    handlers.flat_map(move |name| events.clone().into_iter().map(move |event| (name, event)))
}

impl<S: Store> Clone for Outbox<S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), requires_transaction: self.requires_transaction }
    }
}

impl<S: Store> fmt::Debug for Outbox<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("requires_transaction", &self.requires_transaction).finish_non_exhaustive()
    }
}

/// A transaction of [`Outbox::begin`], which derefs to the connection.
///
/// Dropped without [`commit`](Self::commit) it is rolled back.
pub struct OutboxTransaction<S: Store> {
    transaction: S::Transaction,
    shared: Arc<Shared<S>>,
}

impl<S: Store> OutboxTransaction<S> {
    /// Commits, and wakes the workers.
    ///
    /// # Errors
    ///
    /// When the database does not commit.
    pub async fn commit(self) -> Result<(), StoreError> {
        S::commit(self.transaction).await?;
        self.shared.wake().await;
        Ok(())
    }

    /// Rolls back: what was published with it is not delivered.
    ///
    /// # Errors
    ///
    /// When the connection breaks; what was written is gone even so.
    pub async fn rollback(self) -> Result<(), StoreError> {
        S::rollback(self.transaction).await
    }
}

impl<S: Store> Deref for OutboxTransaction<S> {
    type Target = S::Connection;

    fn deref(&self) -> &S::Connection {
        &self.transaction
    }
}

impl<S: Store> DerefMut for OutboxTransaction<S> {
    fn deref_mut(&mut self) -> &mut S::Connection {
        &mut self.transaction
    }
}

impl<S: Store> fmt::Debug for OutboxTransaction<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxTransaction").finish_non_exhaustive()
    }
}
