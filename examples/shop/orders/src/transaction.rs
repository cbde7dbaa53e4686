//! Runs each command in a transaction, which its handler and those of its events write into.

use mediator_core::Message;
use mediator_core::prelude::*;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::{CancelOrder, Order, PlaceOrder, ServiceError};

#[behavior(PlaceOrder, CancelOrder, lends(&mut SqliteConnection))]
struct InTransaction {
    pool: SqlitePool,
}

impl<C: Message<Response = Order, Error = ServiceError>> Behavior<C> for InTransaction {
    /// After an error, a panic, or when nobody waits any more, the transaction is dropped, which rolls it back.
    async fn handle(&self, mut call: Call<'_, C>) -> Outcome<C> {
        let mut tx = self.begin().await?;
        let response = call.with(&mut *tx).run().await?;
        tx.commit().await?;
        Ok(response)
    }
}

impl InTransaction {
    /// Takes SQLite's write lock at once. A transaction that reads first cannot wait for another one that writes: it fails.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}
