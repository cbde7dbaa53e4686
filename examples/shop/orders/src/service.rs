//! What can be done with orders: each in a transaction that everybody who reacts to it writes into.

use mediator_core::prelude::*;
use shop_events::Tenant;
use sqlx::{SqliteConnection, SqlitePool};

use crate::{Order, OrderError};

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
    /// A module that reacts to it failed, and so the whole of it was rolled back.
    #[error("not everybody could react to order {order_id}")]
    Reaction {
        /// The order.
        order_id: i64,
        /// Who failed, and with what.
        source: PublishError,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Makes the table of this module, if there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn create_tables(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let orders =
        "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, status TEXT NOT NULL)";
    sqlx::query(orders).execute(db).await?;
    Ok(())
}

impl OrderService {
    /// A service that saves by `pool` and tells `publisher` what happens to orders.
    #[must_use]
    pub fn new(pool: SqlitePool, publisher: Publisher) -> Self {
        Self { pool, publisher }
    }

    /// Places an order and returns it.
    ///
    /// # Errors
    ///
    /// When the order cannot be placed, or somebody cannot react to it.
    pub async fn place(&self, tenant: &Tenant, email: &str, prices_in_cents: &[i64]) -> Result<Order, ServiceError> {
        let mut tx = self.pool.begin().await?;
        let next_id = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM orders").fetch_one(&mut *tx).await?;
        let mut order = Order::place(next_id, email, prices_in_cents)?;
        self.save_and_publish(&mut tx, tenant, &mut order).await?;
        tx.commit().await?;
        Ok(order)
    }

    /// Cancels an order.
    ///
    /// # Errors
    ///
    /// When the order cannot be cancelled, or somebody cannot react to it.
    pub async fn cancel(&self, tenant: &Tenant, order: &mut Order) -> Result<(), ServiceError> {
        let mut tx = self.pool.begin().await?;
        order.cancel()?;
        self.save_and_publish(&mut tx, tenant, order).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Handlers write into the transaction that is lent to them; after an error the caller drops it, which rolls it back.
    async fn save_and_publish(
        &self,
        db: &mut SqliteConnection,
        tenant: &Tenant,
        order: &mut Order,
    ) -> Result<(), ServiceError> {
        let save = "INSERT INTO orders (id, tenant, status) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status";
        let save = sqlx::query(save).bind(order.id()).bind(&tenant.0).bind(order.status().as_str());
        save.execute(&mut *db).await?;
        let published = self.publisher.with(db).with(tenant).publish_all(order.collect_events()).await;
        published.map_err(|source| ServiceError::Reaction { order_id: order.id(), source })
    }
}
