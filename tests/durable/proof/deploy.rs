//! Programs of several versions on one database.

use durable_tests::{Database, Happened, Plan};
use mediator_core::prelude::*;
use mediator_core::{EventId, Mediator};
use mediator_outbox::{Outbox, StoreErrorKind};
use serde::{Deserialize, Serialize};

use crate::home::{Home, until};
use crate::node::Node;

on_each_database! {
    each_process_delivers_to_the_handlers_that_it_knows
    a_renamed_handler_and_a_renamed_event_get_what_was_recorded_before
    newer_versions_are_left_alone_and_older_ones_are_brought_up_to_date
    tables_of_a_newer_version_are_refused
}

/// Once it was called `proof.versioned` and had an amount. All events of a program have names of their own, so what older and newer
/// programs record is made of this one in the tables.
#[event(name = "proof.is_called_so", alias = ["proof.versioned"], version = 2, upcast = [to_cents])]
#[derive(Debug, Serialize, Deserialize)]
struct Versioned {
    cents: u32,
}

fn to_cents(mut old: serde_json::Value) -> Result<serde_json::Value, &'static str> {
    let amount = old["amount"].as_u64().ok_or("there is no amount")?;
    old["cents"] = (100 * amount).into();
    Ok(old)
}

#[event_handler(durable, manual, name = "proof.is_called_so", alias = ["proof.was_called_so"])]
async fn handle(event: &Versioned, seen: Seen) {
    seen.add(event.cents);
}

#[derive(Clone, Default)]
struct Seen(std::sync::Arc<std::sync::Mutex<Vec<u32>>>);

impl Seen {
    fn add(&self, cents: u32) {
        self.0.lock().unwrap().push(cents);
    }

    fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

async fn program<D: Database>(home: &Home<D>, seen: &Seen) -> (Outbox<D::Store>, Mediator) {
    let outbox = Outbox::in_store(home.database.store().await.unwrap());
    let builder = Mediator::builder().without_discovery().provide(seen.clone());
    let mediator = builder.outbox(outbox.clone()).bind_fn(handle).build().unwrap();
    (outbox, mediator)
}

/// Changes what was recorded last, and what of its deliveries.
async fn change<D: Database>(home: &Home<D>, event: &str, delivery: &str) {
    let last = |table| format!("(SELECT max(id) FROM {table})");
    for (table, change) in [("mediator_event", event), ("mediator_delivery", delivery)] {
        let sql = format!("UPDATE {table} SET {change} WHERE id = {}", last(table));
        assert_eq!(home.database.execute(&sql).await, 1);
    }
}

async fn each_process_delivers_to_the_handlers_that_it_knows<D: Database>(home: Home<D>) {
    let (outbox, mediator) = home.mediator(&["once", "least", "followed"]).await;
    let knows_one = Node::ready(&Plan { works: true, ..home.plan(&["least"]) }).await;
    for number in 0..20 {
        mediator.publish(Happened::new(2 * number)).await.unwrap();
    }
    until("what it knows is delivered", async || outbox.stats().await.unwrap().unfinished() == 20).await;
    let left = outbox.deliveries().list().await.unwrap();
    assert!(left.iter().all(|it| it.handler == "proof.once" && it.attempts == 0), "{left:?}");
    let (partial, _mediator) = home.mediator(&["least"]).await;
    assert_eq!(partial.stats().await.unwrap().unknown(), 20);
    assert_eq!(outbox.stats().await.unwrap().unknown(), 0);
    let knows_others = Node::ready(&Plan { works: true, ..home.plan(&["once", "followed"]) }).await;
    home.until_finished(&outbox).await;
    knows_one.stop().await;
    knows_others.stop().await;
    let all = (0..20).map(|number| 2 * number).collect();
    assert_eq!(home.check(&all).await, all);
    home.nothing_is_left().await;
}

async fn a_renamed_handler_and_a_renamed_event_get_what_was_recorded_before<D: Database>(home: Home<D>) {
    let seen = Seen::default();
    let (outbox, mediator) = program(&home, &seen).await;
    mediator.publish(Versioned::new(3)).await.unwrap();
    let old = "name = 'proof.versioned'";
    change(&home, old, &format!("{old}, handler = 'proof.was_called_so'")).await;
    mediator.publish(Versioned::new(4)).await.unwrap();
    assert_eq!(outbox.stats().await.unwrap().unknown(), 0);
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 2);
    let mut seen = seen.take();
    seen.sort_unstable();
    assert_eq!(seen, [3, 4]);
    home.nothing_is_left().await;
}

async fn newer_versions_are_left_alone_and_older_ones_are_brought_up_to_date<D: Database>(home: Home<D>) {
    let seen = Seen::default();
    let (outbox, mediator) = program(&home, &seen).await;
    mediator.publish(Versioned::new(5)).await.unwrap();
    change(&home, "version = 3", "version = 3").await;
    mediator.publish(Versioned::new(0)).await.unwrap();
    let payload = serde_json::json!({ "event_id": EventId::new().to_string(), "amount": 6 });
    change(&home, &format!("version = 1, payload = '{payload}'"), "version = 1").await;
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 1);
    assert_eq!(seen.take(), [600]);
    assert_eq!(outbox.stats().await.unwrap().unknown(), 1);
    let left = outbox.deliveries().list().await.unwrap();
    assert_eq!(left.iter().map(|it| (it.version, it.attempts)).collect::<Vec<_>>(), [(3, 0)]);
}

async fn tables_of_a_newer_version_are_refused<D: Database>(home: Home<D>) {
    home.database.store().await.unwrap();
    home.database.execute("UPDATE mediator_schema SET version = version + 1").await;
    let Err(error) = home.database.store().await else { panic!("it works with them") };
    assert_eq!(error.kind(), StoreErrorKind::NewerSchema);
    assert!(error.to_string().contains("update this program"), "{error}");
}
