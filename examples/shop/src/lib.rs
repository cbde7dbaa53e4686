//! The shop: its modules, linked and wired.

use std::path::Path;

use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use shop_orders::OrderService;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

mod timing;

mediator_core::link_modules!();

/// A shop that is open.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Takes orders.
    pub orders: OrderService,
    /// Asks the modules.
    pub queries: Sender,
    /// Where all modules keep their tables.
    pub pool: SqlitePool,
}

/// Opens a shop whose data is in the file at `path`, which is made if there is none.
///
/// # Errors
///
/// When the database cannot be opened, or the modules do not fit together.
pub async fn open(path: &Path) -> anyhow::Result<Shop> {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).create_if_missing(true)).await?;
    let mediator = builder(&pool).build()?;
    let mut db = pool.acquire().await?;
    shop_orders::create_tables(&mut db).await?;
    shop_analytics::create_tables(&mut db).await?;
    shop_notifications::create_tables(&mut db).await?;
    Ok(Shop { orders: OrderService::new(mediator.sender()), queries: mediator.sender(), pool })
}

/// The handlers of all modules. It is an error of `build` if an event has none, for instance because a module is not linked.
pub fn builder(pool: &SqlitePool) -> MediatorBuilder {
    Mediator::builder().provide(pool.clone()).require_handlers_for_all_events()
}
