//! The modules and what is between them, with the test kit: one alone, all of them in a flow, and who may handle whose events.

use mediator_core::testing::{Recorder, Scenario, assert_not_published, assert_published_once};
use shop::Shop;
use shop_events::{OrderCancelled, OrderPlaced, Tenant};
use shop_orders::OrderService;
use tempfile::TempDir;

async fn open() -> (TempDir, Shop) {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop::open(&folder.path().join("shop.db")).await.unwrap();
    (folder, shop)
}

fn acme() -> Tenant {
    Tenant("acme".to_owned())
}

#[tokio::test]
async fn orders_alone_say_what_they_do_and_no_other_module_hears_it() {
    let (_folder, shop) = open().await;
    let recorder = Recorder::new();
    let mediator = shop::builder(&shop.outbox, &shop.postbox).recorder(&recorder).record_only().build().unwrap();
    let order = OrderService::new(mediator.sender()).place(&acme(), "nobody@nowhere.invalid", &[3_900]).await.unwrap();
    assert_published_once!(recorder, OrderPlaced { order_id, total_cents: 3_900, .. } if *order_id == order.id());
    assert_not_published!(recorder, OrderCancelled);
}

#[tokio::test]
async fn what_is_cancelled_goes_to_all_modules() {
    let (_folder, shop) = open().await;
    let recorder = Recorder::new();
    let mediator = shop::builder(&shop.outbox, &shop.postbox).recorder(&recorder).build().unwrap();
    let (orders, acme) = (OrderService::new(mediator.sender()), acme());
    Scenario::new(&mediator, &recorder)
        .when(|| async {
            let order = orders.place(&acme, "ada@example.com", &[1_250]).await?;
            orders.cancel(&acme, order.id()).await.map(drop)
        })
        .wait_for::<OrderCancelled>()
        .and_assert(|event| assert_eq!(event.total_cents, 1_250))
        .await;
    assert!(recorder.tree().contains(
        "\
   └─ event orders.cancelled #3: ok
      ├─ shop_analytics::counting::count_cancellation: ok
      └─ shop_notifications::customer_mail::CustomerMail::cancelled: ok
         └─ event notifications.mail_written #4: ok
"
    ));
}

#[tokio::test]
async fn modules_react_to_the_events_of_the_shop_and_to_nothing_else() {
    let (_folder, shop) = open().await;
    let mediator = shop::builder(&shop.outbox, &shop.postbox).build().unwrap();
    for module in ["shop-analytics", "shop-notifications"] {
        mediator.topology().module(module).handles_only_events_of(["shop-events"]).unwrap();
    }
    mediator.topology().module("shop-orders").handles_only_events_of([]).unwrap();
}
