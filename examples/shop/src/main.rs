//! A modular monolith on SQLite. The orders module publishes `OrderPlaced` with its transaction lent; analytics and notifications
//! write their own tables in it; none of the three depends on another. If one of them fails, everything of that order is rolled
//! back.
//!
//! `shop [FILE]` keeps its data in FILE, or in a temporary folder; `shop topology` shows who handles what.

use std::error::Error;
use std::path::PathBuf;

use mediator_core::prelude::*;
use shop::Shop;
use shop_events::Tenant;
use shop_notifications::AddressError;
use shop_orders::ServiceError;

mediator_core::link_modules!();

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let argument = std::env::args().nth(1);
    if argument.as_ref().is_some_and(|argument| argument == "topology") {
        print!("{}", Mediator::new()?.topology().to_mermaid());
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let path = argument.map_or_else(|| folder.path().join("shop.db"), PathBuf::from);
    let shop = shop::open(&path).await?;
    let tenant = Tenant("acme".to_owned());

    let mut order = shop.orders.place(&tenant, "ada@example.com", &[1_250, 700]).await?;
    report(&shop, "order 1 is placed").await?;
    shop.orders.cancel(&tenant, &mut order).await?;
    report(&shop, "order 1 is cancelled").await?;

    if let Err(error) = shop.orders.place(&tenant, "nobody@nowhere.invalid", &[3_900]).await {
        explain(&error);
    }
    report(&shop, "order 2 is rolled back").await
}

async fn report(shop: &Shop, what: &str) -> anyhow::Result<()> {
    let mut db = shop.pool.acquire().await?;
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&mut *db).await?;
    let cents = shop_analytics::sales_in_cents(&mut db, "acme").await?;
    let mails = shop_notifications::queued_mails(&mut db).await?;
    println!("{what}: {orders} orders, sales of {cents} cents, {} mails", mails.len());
    for mail in mails {
        println!("  mail to {mail}");
    }
    Ok(())
}

fn explain(error: &ServiceError) {
    println!("error: {error}");
    let Some(publish) = error.source().and_then(|source| source.downcast_ref::<PublishError>()) else {
        return;
    };
    println!("  {publish:#}");
    if let Some(AddressError { address }) = publish.downcast_ref() {
        println!("  so somebody should ask the customer for an address other than {address}");
    }
}
