//! Flows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::FutureExt;
use mediator_core::testing::{Recorder, Scenario};
use mediator_tests::Stepped;

use crate::world::*;

/// What the scenario that fails says.
async fn message<T>(scenario: impl Future<Output = T>) -> String {
    let Err(payload) = AssertUnwindSafe(scenario).catch_unwind().await else { panic!("the scenario succeeds") };
    *payload.downcast::<String>().unwrap()
}

#[test]
fn an_event_of_a_nested_publish_is_found_on_any_executor() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let scenario = Scenario::new(&mediator, &recorder);
    let reserved = scenario.publish(placed("o-1", 5)).wait_for::<StockReserved>().into_future();
    assert_eq!(block_on(reserved).quantity, 5);
    let sent = scenario.send(PlaceOrder { order_id: "o-2".into(), total: 6 });
    block_on(sent.wait_for::<StockReserved>().and_assert(|event| assert_eq!(event.quantity, 6)));
}

#[test]
fn what_was_published_before_the_scenario_does_not_count() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    block_on(mediator.publish(placed("o-1", 5))).unwrap();
    let mut scenario =
        Stepped::new(Scenario::new(&mediator, &recorder).when(|| async {}).wait_for::<StockReserved>().into_future());
    assert!(scenario.step().is_pending());
    block_on(mediator.publish(placed("o-2", 6))).unwrap();
    assert!(scenario.woken(), "the recorder wakes it");
    let std::task::Poll::Ready(event) = scenario.step() else { panic!("it is there") };
    assert_eq!(event.quantity, 6);
}

#[test]
fn an_event_of_another_thread_ends_the_wait() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let publisher = mediator.publisher();
    let scenario = Scenario::new(&mediator, &recorder).when(|| async {
        thread::spawn(move || {
            for total in [1, 2, 3] {
                thread::sleep(Duration::from_millis(5));
                block_on(publisher.publish(placed("o-1", total))).unwrap();
            }
        });
    });
    let event = block_on(scenario.wait_for::<OrderPlaced>().matching(|event| event.total == 3).into_future());
    assert_eq!(event.total, 3);
    assert_eq!(recorder.published::<OrderPlaced>().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_publishes_much_later_is_awaited_in_no_time_where_the_clock_is_paused() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let publisher = mediator.publisher();
    let spawn = || async {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(86_400)).await;
            publisher.publish(placed("o-1", 5)).await
        });
    };
    let flow = Scenario::new(&mediator, &recorder).when(spawn).wait_for::<StockReserved>();
    flow.or_at_most(Duration::from_secs(100_000)).and_assert(|event| assert_eq!(event.quantity, 5)).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_told_with_what_did() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    mediator.publish(placed("before", 5)).await.unwrap();
    let flow = Scenario::new(&mediator, &recorder).publish(placed("o-1", 5)).wait_for::<StockReserved>();
    let flow = flow.matching(|event| event.quantity == 7).or_at_most(Duration::from_secs(60));
    let message = message(flow.into_future()).await;
    let (place, message) = message.split_once(": ").unwrap();
    assert!(place.starts_with("the scenario at tests/kit/scenarios.rs:"), "{place}");
    insta::assert_snapshot!(message, @r"
    no matching `stock.reserved` was published within 60s; what happened:
    event orders.placed #3: ok
    ├─ stock: ok
    │  └─ event stock.reserved #4: ok
    │     └─ shelves: ok
    └─ invoices: ok
    ");
}

#[test]
fn a_stimulus_that_fails_is_told_at_once() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let scenario = Scenario::new(&mediator, &recorder);
    let published = block_on(message(scenario.publish(placed("o-1", 500)).wait_for::<Counted>().into_future()));
    assert!(published.contains("what it begins with failed: publishing `orders.placed` (#1) failed"), "{published}");
    assert!(published.contains("shelves: panicked: out of boxes\n"), "{published}");
    let sent = scenario.send(PlaceOrder { order_id: "o-2".into(), total: 0 });
    let sent = block_on(message(sent.wait_for::<Counted>().into_future()));
    assert!(sent.contains("what it begins with failed: an order of nothing"), "{sent}");
    assert!(!sent.contains("shelves"), "only what happened since: {sent}");
    let whatever = scenario.when(|| async { Err::<(), _>("no such thing") });
    let whatever = block_on(message(whatever.wait_for::<Counted>().into_future()));
    assert!(whatever.contains("no such thing") && whatever.contains("scenarios.rs"), "{whatever}");
}

#[test]
fn an_event_whose_publish_fails_is_found_where_the_failure_is_expected() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let expected = || async { drop(mediator.publish(placed("o-1", 500)).await.unwrap_err()) };
    let event = block_on(Scenario::new(&mediator, &recorder).when(expected).wait_for::<StockReserved>().into_future());
    assert_eq!(*event, StockReserved { event_id: event.event_id, quantity: 500 });
}

#[test]
fn an_assertion_that_fails_inside_of_a_scenario_keeps_its_own_message() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    let flow = Scenario::new(&mediator, &recorder).publish(placed("o-1", 5)).wait_for::<StockReserved>();
    let asserted = catch_unwind(AssertUnwindSafe(|| {
        block_on(flow.and_assert(|event| assert!(event.quantity > 5, "only {}", event.quantity)))
    }));
    assert_eq!(*asserted.unwrap_err().downcast::<String>().unwrap(), "only 5");
}
