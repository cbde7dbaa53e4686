//! What can be done with orders. Each handler writes into the transaction that it is lent, and lends it to those of the events.

use mediator_core::prelude::*;
use mediator_outbox::StoreError;
use shop_events::Tenant;
use sqlx::SqliteConnection;

use crate::{Order, OrderError, repository};

/// Places an order for items of these prices, and answers with it.
#[request(Order, error = ServiceError)]
#[derive(Debug)]
pub struct PlaceOrder {
    /// Where the customer gets mail.
    pub email: String,
    /// What the items cost.
    pub prices_in_cents: Vec<i64>,
}

/// Cancels an order of the tenant, and answers with it.
#[request(Order, error = ServiceError)]
#[derive(Debug)]
pub struct CancelOrder {
    /// The order's number.
    pub order_id: i64,
}

/// Why a command failed; nothing of it is to be saved.
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
    /// The transaction did not begin, or was not committed.
    #[error("the transaction failed")]
    Transaction(#[from] StoreError),
    /// The command did not reach its handler, or that panicked.
    #[error(transparent)]
    Send(#[from] SendError),
}

#[request_handler]
async fn place_order(
    request: &PlaceOrder,
    db: &mut SqliteConnection,
    tenant: &Tenant,
    publisher: &Publisher,
) -> Result<Order, ServiceError> {
    let mut order = Order::place(repository::next_id(db).await?, &request.email, &request.prices_in_cents)?;
    save_and_publish(&mut order, db, tenant, publisher).await?;
    Ok(order)
}

#[request_handler]
async fn cancel_order(
    request: &CancelOrder,
    db: &mut SqliteConnection,
    tenant: &Tenant,
    publisher: &Publisher,
) -> Result<Order, ServiceError> {
    let order = repository::find(db, tenant, request.order_id).await?;
    let mut order = order.ok_or(OrderError::Unknown(request.order_id))?;
    order.cancel()?;
    save_and_publish(&mut order, db, tenant, publisher).await?;
    Ok(order)
}

/// Lends the connection on to the handlers of the events, which inherit the tenant.
async fn save_and_publish(
    order: &mut Order,
    db: &mut SqliteConnection,
    tenant: &Tenant,
    publisher: &Publisher,
) -> Result<(), ServiceError> {
    repository::save(db, tenant, order).await?;
    let published = publisher.with(db).publish_all(order.collect_events()).await;
    published.map_err(|source| ServiceError::RolledBack { order_id: order.id(), source })
}
