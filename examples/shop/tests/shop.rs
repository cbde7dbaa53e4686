//! The shop as its owner sees it: in the tables is what was committed, and nothing of what was rolled back.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mediator_core::prelude::*;
use shop::Shop;
use shop_events::{OrderPlaced, Tenant};
use shop_notifications::AddressError;
use shop_orders::{OrderError, OrderService, ServiceError};
use tempfile::TempDir;
use tokio::sync::Notify;

async fn open() -> (TempDir, Shop) {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop::open(&folder.path().join("shop.db")).await.unwrap();
    (folder, shop)
}

fn tenant(name: &str) -> Tenant {
    Tenant(name.to_owned())
}

/// What the three modules have written.
#[derive(Debug, Default, PartialEq)]
struct Tables {
    /// Number, tenant and status.
    orders: Vec<(i64, String, String)>,
    /// Tenant and cents.
    sales: Vec<(String, i64)>,
    /// Those that went out.
    mails: Vec<String>,
}

impl Tables {
    /// Sends what is to be sent first.
    async fn of(shop: &Shop) -> Self {
        shop.outbox.worker(&shop.mediator).drain().await.unwrap();
        assert_eq!(shop.outbox.stats().await.unwrap().unfinished(), 0);
        let mut db = shop.pool.acquire().await.unwrap();
        let orders = "SELECT id, tenant, status FROM orders ORDER BY id";
        let sales = "SELECT tenant, cents FROM sales ORDER BY tenant";
        Self {
            orders: sqlx::query_as(orders).fetch_all(&mut *db).await.unwrap(),
            sales: sqlx::query_as(sales).fetch_all(&mut *db).await.unwrap(),
            mails: shop.postbox.mails().unwrap(),
        }
    }

    fn new(orders: &[(i64, &str, &str)], sales: &[(&str, i64)], mails: &[&str]) -> Self {
        Self {
            orders: orders.iter().map(|&(id, tenant, status)| (id, tenant.into(), status.into())).collect(),
            sales: sales.iter().map(|&(tenant, cents)| (tenant.into(), cents)).collect(),
            mails: mails.iter().copied().map(String::from).collect(),
        }
    }
}

#[tokio::test]
async fn all_modules_write_into_the_transaction_that_is_committed() {
    let (_folder, shop) = open().await;
    let order = shop.orders.place(&tenant("acme"), "ada@example.com", &[1_250, 700]).await.unwrap();
    let thanks = "ada@example.com: acme thanks you for order 1";
    assert_eq!(Tables::of(&shop).await, Tables::new(&[(1, "acme", "placed")], &[("acme", 1_950)], &[thanks]));

    shop.orders.cancel(&tenant("acme"), order.id()).await.unwrap();
    let mails = [thanks, "ada@example.com: order 1 is cancelled"];
    assert_eq!(Tables::of(&shop).await, Tables::new(&[(1, "acme", "cancelled")], &[("acme", 0)], &mails));
}

#[tokio::test]
async fn nothing_is_left_of_an_order_for_which_the_second_module_fails() {
    let (_folder, shop) = open().await;
    let error = shop.orders.place(&tenant("acme"), "nobody@nowhere.invalid", &[3_900]).await.unwrap_err();
    let ServiceError::RolledBack { order_id: 1, source } = error else { panic!("{error:?}") };
    assert_eq!(source.downcast_ref::<AddressError>().unwrap().address, "nobody@nowhere.invalid");
    // It was the last handler: analytics had written its row before.
    assert!(source.failures()[0].handler_name().contains("CustomerMail"), "{source:#}");
    assert!(source.not_run().is_empty());
    assert_eq!(Tables::of(&shop).await, Tables::default());

    // The shop goes on, and the number is free.
    assert_eq!(shop.orders.place(&tenant("acme"), "ada@example.com", &[100]).await.unwrap().id(), 1);
}

#[tokio::test]
async fn orders_that_are_rolled_back_leave_the_others_as_they_are() {
    let (_folder, shop) = open().await;
    shop.orders.place(&tenant("acme"), "ada@example.com", &[100]).await.unwrap();
    let before = Tables::of(&shop).await;
    shop.orders.place(&tenant("acme"), "nobody@nowhere.invalid", &[3_900]).await.unwrap_err();
    assert_eq!(Tables::of(&shop).await, before);
}

#[tokio::test]
async fn each_tenant_sells_for_itself() {
    let (_folder, shop) = open().await;
    for (name, cents) in [("acme", 100), ("bolt", 250)] {
        shop.orders.place(&tenant(name), "ada@example.com", &[cents]).await.unwrap();
    }
    assert_eq!(Tables::of(&shop).await.sales, [("acme".to_owned(), 100), ("bolt".to_owned(), 250)]);
}

#[tokio::test]
async fn a_tenant_cannot_cancel_the_order_of_another_and_none_is_cancelled_twice() {
    let (_folder, shop) = open().await;
    let order = shop.orders.place(&tenant("acme"), "ada@example.com", &[100]).await.unwrap();
    let refused = shop.orders.cancel(&tenant("bolt"), order.id()).await.unwrap_err();
    assert!(matches!(refused, ServiceError::Refused(OrderError::Unknown(1))), "{refused:?}");

    shop.orders.cancel(&tenant("acme"), order.id()).await.unwrap();
    let before = Tables::of(&shop).await;
    let refused = shop.orders.cancel(&tenant("acme"), order.id()).await.unwrap_err();
    assert!(matches!(refused, ServiceError::Refused(OrderError::AlreadyCancelled(1))), "{refused:?}");
    assert_eq!(Tables::of(&shop).await, before);
}

#[tokio::test]
async fn orders_at_the_same_time_wait_for_each_other() {
    let (_folder, shop) = open().await;
    let (acme, prices) = (tenant("acme"), [100]);
    let placed = (0..8).map(|_| shop.orders.place(&acme, "ada@example.com", &prices));
    futures::future::try_join_all(placed).await.unwrap();
    let tables = Tables::of(&shop).await;
    assert_eq!((tables.orders.len(), tables.sales, tables.mails.len()), (8, vec![("acme".to_owned(), 800)], 8));
}

/// Follows the handlers of the modules, and never ends.
struct Stall(Arc<Notify>);

impl EventHandler<OrderPlaced> for Stall {
    async fn handle(&self, _event: &OrderPlaced) {
        self.0.notify_one();
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn an_order_whose_future_is_dropped_after_all_modules_have_written_leaves_nothing() {
    let (_folder, shop) = open().await;
    let (acme, stalled) = (tenant("acme"), Arc::new(Notify::new()));
    let mediator = shop::builder(&shop.outbox, &shop.postbox)
        .bind_handler::<OrderPlaced, _>(Stall(stalled.clone()))
        .build()
        .unwrap();
    let orders = OrderService::new(mediator.sender());
    tokio::select! {
        placed = orders.place(&acme, "ada@example.com", &[100]) => panic!("{placed:?}"),
        () = stalled.notified() => {}
    }
    assert_eq!(Tables::of(&shop).await, Tables::default());
    assert_eq!(shop.orders.place(&acme, "ada@example.com", &[100]).await.unwrap().id(), 1);
}

fn run(file: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shop")).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_file_that_is_given_keeps_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.db");
    for (committed, rolled_back) in [(1, 2), (2, 3)] {
        let text = run(&file);
        for line in [format!("order {committed} is cancelled\n"), format!("order {rolled_back} was rolled back\n")] {
            assert!(text.contains(&line), "{text}");
        }
    }
}

#[test]
fn the_mail_of_a_process_that_crashed_goes_out_with_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crashed.db");
    let crashed = Command::new(env!("CARGO_BIN_EXE_shop")).arg("crash").arg(&file).output().unwrap();
    assert!(!crashed.status.success());
    let thanks = "mail to ada@example.com: acme thanks you for order 1\n";
    for _ in 0..2 {
        let text = run(&file);
        assert_eq!(text.matches(thanks).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn each_mail_goes_out_once_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("killed.db");
    run(&file);
    for milliseconds in (5..60).step_by(5) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shop")).arg(&file).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        process.kill().unwrap();
        process.wait().unwrap();
    }
    run(&file);

    let tables = Tables::of(&shop::open(&file).await.unwrap()).await;
    let mails = tables.orders.iter().flat_map(|(id, _, status)| {
        let cancelled = (status == "cancelled").then(|| format!("ada@example.com: order {id} is cancelled"));
        [format!("ada@example.com: acme thanks you for order {id}")].into_iter().chain(cancelled)
    });
    let mut mails: Vec<_> = mails.collect();
    mails.sort();
    assert_eq!(tables.mails, mails);
}
