//! What can be done with orders: each in a transaction that the handlers of its events write into.

use mediator_core::prelude::*;
use shop_events::Tenant;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::{Order, OrderError, repository};

/// What the rest of the program does with orders.
#[derive(Clone, Debug)]
pub struct OrderService {
    pool: SqlitePool,
    publisher: Publisher,
}

/// Why the service could not do what it was asked; nothing of it was saved.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The order refused.
    #[error(transparent)]
    Refused(#[from] OrderError),
    /// A handler of another module failed.
    #[error("order {order_id} was rolled back")]
    RolledBack {
        /// The order.
        order_id: i64,
        /// Which handler failed, and with what.
        source: PublishError,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl OrderService {
    /// A service that saves orders by `pool` and publishes their events by `publisher`.
    #[must_use]
    pub fn new(pool: SqlitePool, publisher: Publisher) -> Self {
        Self { pool, publisher }
    }

    /// Places an order and returns it.
    ///
    /// # Errors
    ///
    /// When the order cannot be placed, or a handler of its event fails.
    pub async fn place(&self, tenant: &Tenant, email: &str, prices_in_cents: &[i64]) -> Result<Order, ServiceError> {
        let mut tx = self.begin().await?;
        let mut order = Order::place(repository::next_id(&mut tx).await?, email, prices_in_cents)?;
        self.save_and_publish(&mut tx, tenant, &mut order).await?;
        tx.commit().await?;
        Ok(order)
    }

    /// Cancels an order of the tenant and returns it.
    ///
    /// # Errors
    ///
    /// When there is no such order, it cannot be cancelled, or a handler of its event fails.
    pub async fn cancel(&self, tenant: &Tenant, order_id: i64) -> Result<Order, ServiceError> {
        let mut tx = self.begin().await?;
        let order = repository::find(&mut tx, tenant, order_id).await?;
        let mut order = order.ok_or(OrderError::Unknown(order_id))?;
        order.cancel()?;
        self.save_and_publish(&mut tx, tenant, &mut order).await?;
        tx.commit().await?;
        Ok(order)
    }

    /// Takes SQLite's write lock at once. A transaction that reads first cannot wait for another one that writes: it fails.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Lends the connection to the handlers. After an error the caller drops the transaction, which rolls it back.
    async fn save_and_publish(
        &self,
        tx: &mut SqliteConnection,
        tenant: &Tenant,
        order: &mut Order,
    ) -> Result<(), ServiceError> {
        repository::save(tx, tenant, order).await?;
        let published = self.publisher.with(tx).with(tenant).publish_all(order.collect_events()).await;
        published.map_err(|source| ServiceError::RolledBack { order_id: order.id(), source })
    }
}
