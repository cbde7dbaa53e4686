//! What the measurements ask of a database.

use anyhow::Result;
use mediator_core::{EventId, Mediator};
use mediator_outbox::Outbox;
use mediator_outbox::store::Store;

use crate::work::{EVENT, HANDLER};

/// A database that was made for a measurement, with the outbox's tables and one for inserts by hand.
pub trait Database: Sized + Send + Sync + 'static {
    type Store: Store;

    const NAME: &'static str;

    async fn create() -> Result<Self>;

    /// One that another process has created.
    async fn open(place: &str) -> Result<Self>;

    /// How another process finds it.
    fn place(&self) -> &str;

    fn outbox(&self) -> &Outbox<Self::Store>;

    /// Commits transactions of so many inserts each: what somebody would write who has no outbox.
    async fn insert(&self, transactions: usize, each: usize) -> Result<()>;

    /// Commits transactions of so many publishes each.
    async fn publish(&self, mediator: &Mediator, transactions: usize, each: usize) -> Result<()>;

    /// Records deliveries to the first handler, with so many keys if there are any, by statements that are not measured.
    async fn fill(&self, deliveries: usize, keys: usize) -> Result<()> {
        self.fill_for(EVENT, HANDLER, deliveries, keys).await
    }

    /// The same for an event and a handler of these names.
    async fn fill_for(&self, event: &str, handler: &str, deliveries: usize, keys: usize) -> Result<()>;

    /// Claims 100 deliveries, reads the ids and payloads of their events, handles these, and deletes the deliveries, until there are
    /// none, by the shortest statements that do this.
    async fn deliver_by_hand(&self, handle: impl AsyncFn(Vec<(EventId, String)>) -> Result<()>) -> Result<()>;

    /// Deletes everything.
    async fn empty(&self) -> Result<()>;

    /// A number that changes with whatever is written.
    async fn writes(&self) -> Result<i64>;

    async fn destroy(self) -> Result<()>;
}
