//! A modular monolith on SQLite. A behavior lends the handler of the command `PlaceOrder` a transaction; the handler, in the
//! orders module, publishes `OrderPlaced`, for which analytics and notifications write their own tables in that transaction; none
//! of the three depends on another. If a handler fails, everything of that order is rolled back.
//!
//! `shop [FILE]` keeps its data in FILE, or in a temporary folder; `shop topology` shows who handles what.

use std::error::Error;
use std::path::PathBuf;

use mediator_core::prelude::*;
use shop::Shop;
use shop_events::Tenant;
use shop_notifications::AddressError;
use shop_orders::ServiceError;
use sqlx::SqlitePool;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let argument = std::env::args_os().nth(1);
    if argument.as_ref().is_some_and(|argument| argument == "topology") {
        let pool = SqlitePool::connect_lazy("sqlite::memory:")?;
        print!("{}", shop::builder(&pool).build()?.topology().to_mermaid());
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let path = argument.map_or_else(|| folder.path().join("shop.db"), PathBuf::from);
    take_orders(&shop::open(&path).await?).await
}

async fn take_orders(shop: &Shop) -> anyhow::Result<()> {
    let tenant = Tenant("acme".to_owned());
    let order = shop.orders.place(&tenant, "ada@example.com", &[1_250, 700]).await?;
    println!("order {} is placed", order.id());
    report(shop, &tenant).await?;

    shop.orders.cancel(&tenant, order.id()).await?;
    println!("order {} is cancelled", order.id());
    report(shop, &tenant).await?;

    if let Err(error) = shop.orders.place(&tenant, "nobody@nowhere.invalid", &[3_900]).await {
        explain(&error);
    }
    report(shop, &tenant).await
}

async fn report(shop: &Shop, tenant: &Tenant) -> anyhow::Result<()> {
    let mut db = shop.pool.acquire().await?;
    let sales = shop.queries.with(&mut *db).with(tenant).send(shop_analytics::Sales).await?;
    let mails = shop_notifications::queued_mails(&mut db).await?;
    println!("  sales of {}: {sales} cents; mails in the queue: {}", tenant.0, mails.len());
    if let Some(last) = mails.last() {
        println!("  last mail to {last}");
    }
    Ok(())
}

fn explain(error: &ServiceError) {
    println!("{error}");
    let Some(publish) = error.source().and_then(|source| source.downcast_ref::<PublishError>()) else {
        return;
    };
    println!("  {publish:#}");
    if let Some(AddressError { address }) = publish.downcast_ref() {
        println!("  ask the customer for an address other than {address}");
    }
}
