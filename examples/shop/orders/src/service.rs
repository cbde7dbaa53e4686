//! Runs each command in a transaction, which its handler and those of its events write into.

use mediator_core::prelude::*;
use shop_events::Tenant;
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::{CancelOrder, Order, PlaceOrder, ServiceError};

/// What the rest of the program does with orders.
#[derive(Clone, Debug)]
pub struct OrderService {
    pool: SqlitePool,
    sender: Sender,
}

impl OrderService {
    /// A service that sends its commands by `sender`, each with a transaction of `pool`.
    #[must_use]
    pub fn new(pool: SqlitePool, sender: Sender) -> Self {
        Self { pool, sender }
    }

    /// Places an order and returns it.
    ///
    /// # Errors
    ///
    /// When the order cannot be placed, or a handler of its event fails.
    pub async fn place(&self, tenant: &Tenant, email: &str, prices_in_cents: &[i64]) -> Result<Order, ServiceError> {
        let command = PlaceOrder { email: email.to_owned(), prices_in_cents: prices_in_cents.to_vec() };
        self.run(tenant, command).await
    }

    /// Cancels an order of the tenant and returns it.
    ///
    /// # Errors
    ///
    /// When there is no such order, it cannot be cancelled, or a handler of its event fails.
    pub async fn cancel(&self, tenant: &Tenant, order_id: i64) -> Result<Order, ServiceError> {
        self.run(tenant, CancelOrder { order_id }).await
    }

    /// After an error the transaction is dropped, which rolls it back.
    async fn run<C>(&self, tenant: &Tenant, command: C) -> Result<Order, ServiceError>
    where
        C: Request<Response = Order, Error = ServiceError>,
    {
        let mut tx = self.begin().await?;
        let order = self.sender.with(&mut *tx).with(tenant).send(command).await?;
        tx.commit().await?;
        Ok(order)
    }

    /// Takes SQLite's write lock at once. A transaction that reads first cannot wait for another one that writes: it fails.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}
