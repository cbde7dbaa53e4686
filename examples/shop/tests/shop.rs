//! The shop as its owner sees it: in the tables, what was committed and nothing of what was rolled back.

use mediator_core::prelude::*;
use shop::Shop;
use shop_events::Tenant;
use shop_notifications::AddressError;
use shop_orders::ServiceError;
use tempfile::TempDir;

async fn open() -> (TempDir, Shop) {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop::open(&folder.path().join("shop.db")).await.unwrap();
    (folder, shop)
}

/// Orders, sales of the tenant, mails.
async fn tables(shop: &Shop, tenant: &str) -> (Vec<(i64, String, String)>, i64, Vec<String>) {
    let mut db = shop.pool.acquire().await.unwrap();
    let orders = sqlx::query_as("SELECT id, tenant, status FROM orders ORDER BY id").fetch_all(&mut *db).await.unwrap();
    let sales = shop_analytics::sales_in_cents(&mut db, tenant).await.unwrap();
    (orders, sales, shop_notifications::queued_mails(&mut db).await.unwrap())
}

fn order(id: i64, tenant: &str, status: &str) -> (i64, String, String) {
    (id, tenant.to_owned(), status.to_owned())
}

#[tokio::test]
async fn all_modules_write_into_the_transaction_that_is_committed() {
    let (_folder, shop) = open().await;
    let tenant = Tenant("acme".into());
    let mut placed = shop.orders.place(&tenant, "ada@example.com", &[1_250, 700]).await.unwrap();
    let mail = "ada@example.com: acme thanks you for order 1".to_owned();
    assert_eq!(tables(&shop, "acme").await, (vec![order(1, "acme", "placed")], 1_950, vec![mail.clone()]));

    shop.orders.cancel(&tenant, &mut placed).await.unwrap();
    let mails = vec![mail, "ada@example.com: order 1 is cancelled".to_owned()];
    assert_eq!(tables(&shop, "acme").await, (vec![order(1, "acme", "cancelled")], 0, mails));
}

#[tokio::test]
async fn nothing_is_left_of_an_order_that_one_module_refuses() {
    let (_folder, shop) = open().await;
    let tenant = Tenant("acme".into());
    let error = shop.orders.place(&tenant, "nobody@nowhere.invalid", &[3_900]).await.unwrap_err();
    let ServiceError::Reaction { order_id: 1, source } = error else { panic!("{error:?}") };
    // Analytics had written its row before.
    assert_eq!(source.downcast_ref::<AddressError>().unwrap().address, "nobody@nowhere.invalid");
    assert!(source.not_run().is_empty());
    assert_eq!(tables(&shop, "acme").await, (vec![], 0, vec![]));

    // The shop goes on, and the number is free.
    assert_eq!(shop.orders.place(&tenant, "ada@example.com", &[100]).await.unwrap().id(), 1);
}

#[tokio::test]
async fn each_tenant_sells_for_itself() {
    let (_folder, shop) = open().await;
    for (tenant, cents) in [("acme", 100), ("bolt", 250)] {
        shop.orders.place(&Tenant(tenant.into()), "ada@example.com", &[cents]).await.unwrap();
    }
    assert_eq!(tables(&shop, "bolt").await.1, 250);
}

#[tokio::test]
async fn an_order_whose_future_is_dropped_leaves_nothing() {
    let (_folder, shop) = open().await;
    let tenant = Tenant("acme".into());
    {
        let mut place = Box::pin(shop.orders.place(&tenant, "ada@example.com", &[100]));
        // Dropped at its first `.await` that is pending.
        assert!(futures::poll!(place.as_mut()).is_pending());
    }
    assert_eq!(tables(&shop, "acme").await, (vec![], 0, vec![]));
}

#[test]
fn every_event_of_the_shop_is_handled() {
    Mediator::builder().require_handlers_for_all_events().build().unwrap();
}
