//! The shop: its modules, linked and wired.

use std::path::Path;
use std::sync::Arc;

use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use mediator_outbox::SqliteOutbox;
use shop_notifications::Mailer;
use shop_orders::OrderService;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

mod postbox;
mod timing;

pub use crate::postbox::Postbox;

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
    /// Has what durable handlers are to do.
    pub outbox: SqliteOutbox,
    /// Has the handlers of all modules.
    pub mediator: Mediator,
    /// Where mail goes.
    pub postbox: Postbox,
}

/// Opens a shop whose data is in the file at `path`, which is made if there is none; its mail goes into a folder beside it.
///
/// # Errors
///
/// When the database or the folder cannot be opened, or the modules do not fit together.
pub async fn open(path: &Path) -> anyhow::Result<Shop> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
    let outbox = SqliteOutbox::new(pool.clone()).await?.require_transaction();
    let postbox = Postbox::open(path.with_extension("mails"))?;
    let mediator = builder(&outbox, &postbox).build()?;
    let mut db = pool.acquire().await?;
    shop_orders::create_tables(&mut db).await?;
    shop_analytics::create_tables(&mut db).await?;
    let (orders, queries) = (OrderService::new(mediator.sender()), mediator.sender());
    Ok(Shop { orders, queries, pool, outbox, mediator, postbox })
}

/// The handlers of all modules. It is an error of `build` if an event has none, for instance because a module is not linked.
pub fn builder(outbox: &SqliteOutbox, postbox: &Postbox) -> MediatorBuilder {
    Mediator::builder()
        .provide(outbox.clone())
        .provide(Arc::new(postbox.clone()) as Arc<dyn Mailer>)
        .outbox(outbox.clone())
        .require_handlers_for_all_events()
}
