//! What a publish tells of handlers that fail.
#![allow(missing_docs)]

use std::error::Error;
use std::fmt;
use std::io;
use std::panic::panic_any;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use mediator_tests::{BestEffort, Log, On, Stepped, names, pending, place};

#[event(name = "orders.placed")]
#[derive(Clone)]
struct OrderPlaced {
    total: u32,
}

#[derive(Debug)]
struct MailError {
    cause: io::Error,
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no mail was sent")
    }
}

impl Error for MailError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

const REGISTERED_AT: u32 = line!() + 2;

#[event_handler(OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), MailError> {
        pending(event.total as usize).await;
        Err(MailError { cause: io::Error::new(io::ErrorKind::ConnectionRefused, "port 25 is closed") })
    }
}

#[event_handler(order = 1, name = "stock.reserve")]
async fn reserve_stock(_event: &OrderPlaced) {}

#[event_handler(order = 2)]
fn update_stats(_event: &OrderPlaced) {}

#[test]
fn an_error_names_event_handler_place_and_what_did_not_run() {
    for ready_or_pending in [0, 3] {
        let event = OrderPlaced::new(ready_or_pending);
        let id = event.event_id;
        let error = block_on(Mediator::new().unwrap().publish(event)).unwrap_err();

        assert_eq!(error.event_name(), "orders.placed");
        assert_eq!(error.event_id(), Some(id));
        let [failure] = error.failures() else { panic!("one failure, not {:?}", error.failures()) };
        assert_eq!(failure.handler_name(), "failures::SendEmail");
        assert_eq!(failure.handler().module_path(), "failures");
        assert_eq!(place(failure.location()), ("failures.rs", REGISTERED_AT));
        assert_eq!(failure.error().unwrap().to_string(), "no mail was sent");
        assert_eq!(failure.panic_message(), None);
        assert!(error.cancelled().is_empty());
        assert_eq!(names(error.not_run()), ["stock.reserve", "update_stats"]);
        assert!(error.unpublished().is_empty());

        // Without the text of the source.
        let file = failure.location().file();
        let [reserve, update] = error.not_run() else { panic!("two handlers did not run") };
        assert_eq!(
            error.to_string(),
            format!(
                "publishing `orders.placed` ({id}) failed: handler `failures::SendEmail` ({file}:{REGISTERED_AT}:1); \
                 not run: `stock.reserve` ({}), `failures::update_stats` ({})",
                reserve.location(),
                update.location()
            )
        );
    }
}

#[test]
fn the_source_chain_leads_to_the_handlers_own_error_and_behind_it() {
    let error = block_on(Mediator::new().unwrap().publish(OrderPlaced::new(0))).unwrap_err();
    let source = error.source().unwrap();
    assert!(source.is::<MailError>());
    assert_eq!(source.source().unwrap().to_string(), "port 25 is closed");
    assert_eq!(error.failures()[0].source().unwrap().to_string(), "no mail was sent");
    assert_eq!(error.downcast_ref::<MailError>().unwrap().cause.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.failures()[0].downcast_ref::<MailError>().is_some());
    assert!(error.downcast_ref::<fmt::Error>().is_none());
}

#[test]
fn an_error_passes_on_as_any_error_does() {
    fn through_anyhow(error: PublishError) -> anyhow::Error {
        error.into()
    }
    let error = block_on(Mediator::new().unwrap().publish(OrderPlaced::new(0))).unwrap_err();
    let error = through_anyhow(error);
    assert!(error.downcast_ref::<PublishError>().unwrap().downcast_ref::<MailError>().is_some());
    let chain: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
    assert_eq!(chain, ["no mail was sent", "port 25 is closed"]);
}

/// Only the handlers bound in the test.
fn explicit() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// What a publish to one handler that panics says of the panic.
fn message_of_panic(panic: impl Fn() + Copy + Send + Sync + 'static) -> String {
    let before_an_await = explicit().bind_handler::<OrderPlaced, _>(On(move |_: &OrderPlaced| async move { panic() }));
    let after_an_await = explicit().bind_handler::<OrderPlaced, _>(On(move |_: &OrderPlaced| async move {
        pending(2).await;
        panic();
    }));
    let outside_the_future = explicit().bind_handler::<OrderPlaced, _>(On(move |_: &OrderPlaced| {
        panic();
        async {}
    }));
    let mut messages = Vec::new();
    for builder in [before_an_await, after_an_await, outside_the_future] {
        let mediator = builder.build().unwrap();
        let best_effort = block_on(mediator.publish_with(&BestEffort, OrderPlaced::new(1))).unwrap_err();
        let group = block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1))).unwrap_err();
        let sequential = block_on(mediator.publish(OrderPlaced::new(1))).unwrap_err();
        for error in [best_effort, group, sequential] {
            let [failure] = error.failures() else { panic!("one failure, not {:?}", error.failures()) };
            assert!(failure.error().is_none());
            assert!(error.source().is_none());
            let message = failure.panic_message().unwrap().to_owned();
            let told = message.lines().map(str::trim).collect::<Vec<_>>().join(", ");
            assert!(error.to_string().ends_with(&format!("panicked: {told}")), "{error}");
            messages.push(message);
        }
    }
    messages.dedup();
    let [message] = &messages[..] else { panic!("one message from everywhere, not {messages:?}") };
    message.clone()
}

#[test]
fn a_panic_is_reported_with_its_message() {
    let number = 7;
    assert_eq!(message_of_panic(|| panic!("plain text")), "plain text");
    assert_eq!(message_of_panic(move || panic!("formatted {number}")), "formatted 7");
    assert_eq!(message_of_panic(|| assert_eq!(1 + 1, 3)), "assertion `left == right` failed\n  left: 2\n right: 3");
}

#[test]
fn a_panic_with_any_other_payload_is_reported_without_one() {
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                panic_any(Bomb(left));
            }
        }
    }

    assert_eq!(message_of_panic(|| panic_any(404)), "Box<dyn Any>");
    assert_eq!(message_of_panic(|| panic_any(Bomb(0))), "Box<dyn Any>");
    assert_eq!(message_of_panic(|| panic_any(Bomb(2))), "Box<dyn Any>");
}

#[test]
fn a_panic_while_an_error_is_converted_is_the_handlers() {
    struct Unconvertible;

    impl From<Unconvertible> for Box<dyn Error + Send + Sync> {
        fn from(_: Unconvertible) -> Self {
            panic!("no such error")
        }
    }

    let mediator = explicit()
        .bind_handler::<OrderPlaced, _>(On(|_: &OrderPlaced| async { Err::<(), _>(Unconvertible) }))
        .build()
        .unwrap();
    for error in [
        block_on(mediator.publish(OrderPlaced::new(1))).unwrap_err(),
        block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1))).unwrap_err(),
    ] {
        assert_eq!(error.failures()[0].panic_message(), Some("no such error"));
    }
}

#[test]
fn a_panic_while_a_finished_handler_is_dropped_is_the_handlers() {
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic!("dropped badly");
        }
    }

    let mediator = explicit()
        .bind_handler::<OrderPlaced, _>(On(|_: &OrderPlaced| {
            let bad = PanicOnDrop;
            async move {
                let _bad = bad;
                pending(1).await;
            }
        }))
        .build()
        .unwrap();
    for error in [
        block_on(mediator.publish(OrderPlaced::new(1))).unwrap_err(),
        block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1))).unwrap_err(),
        block_on(mediator.publish_with(&BestEffort, OrderPlaced::new(1))).unwrap_err(),
    ] {
        assert_eq!(error.failures()[0].panic_message(), Some("dropped badly"));
    }
}

/// Waits for good, and panics when it is dropped.
fn panics_when_cancelled() -> impl EventHandler<OrderPlaced> {
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic!("cancelled badly");
        }
    }

    On(|_: &OrderPlaced| async {
        let _bad = PanicOnDrop;
        std::future::pending::<()>().await;
    })
}

#[test]
fn a_panic_of_a_handler_that_is_cancelled_is_a_failure_in_the_order_of_the_handlers() {
    let mediator = explicit()
        .bind_handler::<OrderPlaced, _>(panics_when_cancelled())
        .bind_handler::<OrderPlaced, _>(On(|_: &OrderPlaced| async { Err::<(), _>("failed") }))
        .build()
        .unwrap();
    let error = block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1))).unwrap_err();
    let [first, second] = error.failures() else { panic!("two failures, not {:?}", error.failures()) };
    assert_eq!(first.panic_message(), Some("cancelled badly"));
    assert_eq!(second.error().unwrap().to_string(), "failed");
    assert!(error.cancelled().is_empty());
}

#[test]
fn a_panic_of_a_handler_whose_publish_is_dropped_tears_nothing_down() {
    let mediator = explicit().bind_handler::<OrderPlaced, _>(panics_when_cancelled()).build().unwrap();
    for group in [false, true] {
        let mut publish = if group {
            Stepped::new(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1)))
        } else {
            Stepped::new(mediator.publish(OrderPlaced::new(1)))
        };
        assert!(publish.step().is_pending());
        drop(publish);
    }
}

#[test]
fn a_handler_that_panics_fails_only_its_own_publish_and_poisons_nothing() {
    let totals = Arc::new(Mutex::new(Vec::new()));
    let seen = totals.clone();
    let mediator = explicit()
        .bind_handler::<OrderPlaced, _>(On(move |event: &OrderPlaced| {
            let (seen, total) = (seen.clone(), event.total);
            async move {
                seen.lock().unwrap().push(total);
                pending(1).await;
                assert_ne!(total, 13, "unlucky");
            }
        }))
        .build()
        .unwrap();
    for total in [12, 13, 14] {
        let strategies = [
            block_on(mediator.publish(OrderPlaced::new(total))),
            block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(total))),
        ];
        assert!(strategies.iter().all(|published| published.is_err() == (total == 13)));
    }
    assert_eq!(*totals.lock().unwrap(), [12, 12, 13, 13, 14, 14]);
}

#[event]
struct Outer;

#[event]
struct Inner;

#[test]
fn a_nested_failure_is_the_outer_handlers_to_propagate() {
    let log = Log::default();
    let seen = log.clone();
    let (publisher, set_publisher) = publisher_for_later();
    let mediator = explicit()
        .bind_handler::<Inner, _>(On(|_: &Inner| async { Err::<(), _>("inner trouble") }))
        .bind_handler::<Outer, _>(On(move |_: &Outer| {
            let (publisher, log) = (publisher.clone(), seen.clone());
            async move {
                let publisher = publisher.lock().unwrap().clone().unwrap();
                log.add(publisher.publish(Inner::new()).await.unwrap_err().to_string());
                publisher.publish(Inner::new()).await
            }
        }))
        .build()
        .unwrap();
    set_publisher(mediator.publisher().downgrade());

    let error = block_on(mediator.publish(Outer::new())).unwrap_err();
    assert_eq!(error.event_name(), "failures::Outer");
    let nested = error.downcast_ref::<PublishError>().unwrap();
    assert_eq!(nested.event_name(), "failures::Inner");
    assert_eq!(nested.failures()[0].error().unwrap().to_string(), "inner trouble");
    // The outer handler saw the first one and went on.
    assert_eq!(log.entries().len(), 1);
    assert!(log.entries()[0].contains("failures::Inner"));
    // The chain leads from the outer failure through the nested publish to the inner error.
    let source = error.source().unwrap();
    assert!(source.is::<PublishError>());
    assert_eq!(source.source().unwrap().to_string(), "inner trouble");
}

/// A place for a publisher that closures can hold before there is a mediator.
fn publisher_for_later() -> (Arc<Mutex<Option<Publisher>>>, impl FnOnce(Publisher)) {
    let later = Arc::new(Mutex::new(None));
    let set = later.clone();
    (later, move |publisher| *set.lock().unwrap() = Some(publisher))
}

#[test]
fn a_notification_without_an_id_is_reported_by_name_alone() {
    #[derive(Notification)]
    struct StockCounted;

    let mediator = explicit()
        .bind_handler::<StockCounted, _>(On(|_: &StockCounted| async { Err::<(), _>("miscounted") }))
        .build()
        .unwrap();
    let error = block_on(mediator.publish(StockCounted)).unwrap_err();
    assert_eq!(error.event_id(), None);
    assert!(error.to_string().starts_with("publishing `failures::StockCounted` failed: "), "{error}");
}

#[test]
fn debug_and_the_alternate_form_tell_the_errors_and_their_causes() {
    let error = block_on(Mediator::new().unwrap().publish(OrderPlaced::new(0))).unwrap_err();
    let all = format!("{error:#}");
    assert!(all.contains("no mail was sent: port 25 is closed; not run: `stock.reserve` ("), "{all}");
    assert_eq!(format!("{error:?}"), all);
}
