//! A modular monolith on SQLite. A behavior lends the handler of the command `PlaceOrder` a transaction; the handler, in the
//! orders module, publishes `OrderPlaced`, for which analytics writes its own table in that transaction, and notifications records
//! the mail to the customer; none of the three depends on another. If a handler fails, everything of that order is rolled back.
//! What was committed is sent by a worker, also after a crash.
//!
//! `shop [FILE]` keeps its data in FILE, or in a temporary folder; `shop crash FILE` places an order and dies before its mail is
//! sent, so that the next `shop FILE` sends it; `shop topology` shows who handles what.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mediator_core::prelude::*;
use mediator_outbox::SqliteOutbox;
use shop::{Postbox, Shop};
use shop_events::Tenant;
use shop_notifications::AddressError;
use shop_orders::ServiceError;
use sqlx::SqlitePool;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let folder = tempfile::tempdir()?;
    match arguments.as_slice() {
        [command] if command == Path::new("topology") => print_topology(folder.path()).await,
        [command, file] if command == Path::new("crash") => crash(&shop::open(file).await?).await,
        [file] => serve(&shop::open(file).await?).await,
        [] => serve(&shop::open(&folder.path().join("shop.db")).await?).await,
        _ => anyhow::bail!("usage: shop [FILE] | shop crash FILE | shop topology"),
    }
}

async fn print_topology(folder: &Path) -> anyhow::Result<()> {
    let outbox = SqliteOutbox::new(SqlitePool::connect("sqlite::memory:").await?).await?;
    let postbox = Postbox::open(folder.join("mails"))?;
    print!("{}", shop::builder(&outbox, &postbox).build()?.topology().to_mermaid());
    Ok(())
}

async fn crash(shop: &Shop) -> anyhow::Result<()> {
    let order = shop.orders.place(&acme(), "ada@example.com", &[1_250, 700]).await?;
    println!("order {} is placed, and its mail recorded; that was all", order.id());
    std::process::abort();
}

async fn serve(shop: &Shop) -> anyhow::Result<()> {
    // After a crash nobody waits for long, since sending takes no time.
    let worker = shop.outbox.worker(&shop.mediator).lease(Duration::from_secs(1)).start();
    take_orders(shop).await?;
    while shop.outbox.stats().await?.unfinished() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    worker.shutdown(Duration::from_secs(10)).await;
    for mail in shop.postbox.mails()? {
        println!("mail to {mail}");
    }
    Ok(())
}

async fn take_orders(shop: &Shop) -> anyhow::Result<()> {
    let tenant = acme();
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

fn acme() -> Tenant {
    Tenant("acme".to_owned())
}

async fn report(shop: &Shop, tenant: &Tenant) -> anyhow::Result<()> {
    let mut db = shop.pool.acquire().await?;
    let sales = shop.queries.with(&mut *db).with(tenant).send(shop_analytics::Sales).await?;
    println!("  sales of {}: {sales} cents", tenant.0);
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
