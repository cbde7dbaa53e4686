//! A durable flow in a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, Scenario, assert_published_once};
use mediator_outbox::{Clock, InMemoryOutbox};
use serde::{Deserialize, Serialize};

#[event(name = "orders.placed")]
#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event(name = "stock.reserved")]
#[derive(Debug, Serialize, Deserialize)]
struct StockReserved {
    order_id: String,
}

#[event(name = "mail.sent")]
#[derive(Debug, Serialize, Deserialize)]
struct MailSent {
    order_id: String,
}

#[event_handler(durable, manual, name = "stock.reserve", retry(attempts = 5, base = "1h"))]
async fn reserve(event: &OrderPlaced, failures: Arc<AtomicU32>, publisher: &Publisher) -> Result<(), anyhow::Error> {
    if failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        anyhow::bail!("the warehouse is closed");
    }
    publisher.publish(StockReserved::new(event.order_id.clone())).await?;
    Ok(())
}

#[event_handler(durable, manual, name = "mail.send")]
async fn mail(event: &StockReserved, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(MailSent::new(event.order_id.clone())).await
}

fn mediator(outbox: InMemoryOutbox, recorder: &Recorder, failures: u32) -> Mediator {
    let builder = Mediator::builder().without_discovery().outbox(outbox).recorder(recorder);
    builder.provide(Arc::new(AtomicU32::new(failures))).bind_fn(reserve).bind_fn(mail).build().unwrap()
}

#[tokio::test]
async fn a_scenario_waits_for_durable_work_across_retries_without_taking_time() {
    let recorder = Recorder::new();
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH);
    let mediator = mediator(InMemoryOutbox::with_clock(clock), &recorder, 3);
    Scenario::new(&mediator, &recorder)
        .publish(OrderPlaced::new("o-1".into()))
        .wait_for::<MailSent>()
        .matching(|event| event.order_id == "o-1")
        .await;
    assert_published_once!(recorder, StockReserved { order_id, .. } if order_id == "o-1");
    let tree = recorder.tree();
    assert!(tree.contains("the warehouse is closed"), "{tree}");
}

#[tokio::test]
async fn a_scenario_goes_along_with_a_worker_that_is_started() {
    let recorder = Recorder::new();
    let outbox = InMemoryOutbox::new();
    let mediator = mediator(outbox.clone(), &recorder, 0);
    let worker = outbox.worker(&mediator).start();
    Scenario::new(&mediator, &recorder).publish(OrderPlaced::new("o-1".into())).wait_for::<MailSent>().await;
    worker.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
#[should_panic(expected = "the warehouse is closed")]
async fn a_scenario_that_fails_tells_what_happened_in_the_meantime() {
    let recorder = Recorder::new();
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH);
    let mediator = mediator(InMemoryOutbox::with_clock(clock), &recorder, 9);
    Scenario::new(&mediator, &recorder)
        .publish(OrderPlaced::new("o-1".into()))
        .wait_for::<MailSent>()
        .or_at_most(Duration::from_millis(300))
        .await;
}
