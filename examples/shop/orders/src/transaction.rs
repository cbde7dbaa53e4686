//! Runs each command in a transaction, which its handler and those of its events write into.

use mediator_core::Message;
use mediator_core::prelude::*;
use mediator_outbox::SqliteOutbox;
use sqlx::SqliteConnection;

use crate::{CancelOrder, Order, PlaceOrder, ServiceError};

#[behavior(PlaceOrder, CancelOrder, lends(&mut SqliteConnection))]
struct InTransaction {
    outbox: SqliteOutbox,
}

impl<C: Message<Response = Order, Error = ServiceError>> Behavior<C> for InTransaction {
    /// The commit wakes the worker. After an error, a panic, or when nobody waits any more, the transaction is dropped, which
    /// rolls it back.
    async fn handle(&self, mut call: Call<'_, C>) -> Outcome<C> {
        let mut tx = self.outbox.begin().await?;
        let response = call.with(&mut *tx).run().await?;
        tx.commit().await?;
        Ok(response)
    }
}
