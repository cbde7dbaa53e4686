//! Feature `tracing`.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use futures::executor::block_on;
use mediator_core::prelude::*;
use tracing::Level;

use super::recorded::{Records, Span, recorded, recorded_elsewhere};
use super::world::*;

fn field<'a>(span: &'a Span, name: &str) -> &'a str {
    span.fields.get(name).unwrap_or_else(|| panic!("no {name} in {span:?}"))
}

/// What is told of one publish.
fn of_publish(mediator: &Mediator, wish: Wish) -> (Records, Result<(), PublishError>) {
    let mut result = Ok(());
    let records = recorded(Level::INFO, || result = block_on(mediator.publish(OrderPlaced::new(wish))));
    (records, result)
}

/// What is told of a future that is polled so often, and dropped.
fn of_dropped<F: Future>(polls: usize, future: F) -> Records {
    recorded(Level::INFO, || {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
    })
}

#[test]
fn spans_nest_as_calls_do() {
    let (records, result) = of_publish(&mediator(), Wish::Work);
    result.unwrap();
    let (publish, outermost) = records.span("publish", "::OrderPlaced");
    let (reserve, reserving) = records.span("process", "::reserve");
    let (nested, nested_publish) = records.span("publish", "::StockReserved");
    let (ship, shipping) = records.span("process", "::ship");
    let (send, sending) = records.span("send", "::Divide");
    let (_, dividing) = records.span("process", "::divide");
    let (_, thanking) = records.span("process", "::thank");
    assert_eq!(outermost.parent, None);
    assert_eq!(reserving.parent, Some(publish));
    assert_eq!(thanking.parent, Some(publish));
    assert_eq!(nested_publish.parent, Some(reserve));
    assert_eq!(shipping.parent, Some(nested));
    assert_eq!(sending.parent, Some(ship));
    assert_eq!(dividing.parent, Some(send));
    assert_eq!(records.spans.len(), 7);
    assert!(records.spans.iter().all(|span| span.is_closed), "{records:#?}");
    assert!(records.spans.iter().all(|span| field(span, "mediator.outcome") == "ok"));
    assert!(records.events.is_empty());
    // Of the first poll, and when the handler of the request goes on.
    assert!(outermost.entered >= 2 && reserving.entered >= 2 && dividing.entered == 2);
}

#[test]
fn fields_have_the_names_of_the_conventions() {
    let (records, _) = of_publish(&mediator(), Wish::Work);
    let (_, publish) = records.span("publish", "::OrderPlaced");
    assert_eq!(field(publish, "otel.kind"), "producer");
    assert_eq!(field(publish, "messaging.system"), "mediator");
    assert_eq!(field(publish, "messaging.operation.name"), "publish");
    assert_eq!(field(publish, "messaging.operation.type"), "send");
    assert!(
        field(publish, "otel.name").starts_with("publish ") && field(publish, "otel.name").ends_with("::OrderPlaced")
    );
    let id = field(publish, "messaging.message.id");
    assert_eq!(id.len(), 36);
    assert_eq!(field(publish, "messaging.message.conversation_id"), id);
    assert_eq!(publish.fields.get("mediator.causation_id"), None);

    let (_, reserve) = records.span("process", "::reserve");
    assert_eq!(field(reserve, "otel.kind"), "consumer");
    assert_eq!(field(reserve, "messaging.operation.name"), "process");
    assert_eq!(field(reserve, "messaging.operation.type"), "process");
    assert!(field(reserve, "messaging.destination.name").ends_with("::OrderPlaced"));
    assert_eq!(field(reserve, "messaging.message.id"), id);
    assert_eq!(field(reserve, "mediator.attempt"), "1");
    assert_eq!(reserve.fields.get("otel.status_code"), None);
    assert_eq!(reserve.fields.get("error.type"), None);

    let (_, nested) = records.span("publish", "::StockReserved");
    assert_ne!(field(nested, "messaging.message.id"), id);
    assert_eq!(field(nested, "messaging.message.conversation_id"), id);
    assert_eq!(field(nested, "mediator.causation_id"), id);

    let (_, send) = records.span("send", "::Divide");
    assert_eq!(send.fields.get("messaging.message.id"), None);
    assert_eq!(field(send, "messaging.message.conversation_id"), id);
    assert_eq!(field(send, "mediator.causation_id"), field(nested, "messaging.message.id"));
    let (_, divide) = records.span("process", "::divide");
    assert!(field(divide, "messaging.destination.name").ends_with("::Divide"));
    assert_eq!(field(divide, "messaging.message.conversation_id"), id);
}

#[test]
fn a_failure_is_one_event_in_the_span_of_the_handler() {
    let (records, result) = of_publish(&mediator(), Wish::Fail);
    assert!(result.unwrap_err().downcast_ref::<NoStock>().is_some());
    let (reserve, span) = records.span("process", "::reserve");
    assert_eq!(field(span, "mediator.outcome"), "failed");
    assert_eq!(field(span, "otel.status_code"), "error");
    assert_eq!(field(span, "error.type"), "_OTHER");
    let (_, publish) = records.span("publish", "::OrderPlaced");
    assert_eq!(field(publish, "mediator.outcome"), "failed");
    assert_eq!(field(publish, "error.type"), "mediator_core::PublishError");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!((event.level, event.span), (Level::ERROR, Some(reserve)));
    assert!(event.fields.get("error").unwrap().contains("no stock"), "{event:?}");
    assert!(event.fields.get("mediator.handler").unwrap().ends_with("::reserve"));
    assert_eq!(event.fields.get("message"), Some("handler failed"));
}

/// Fails with its own error, unless it was called before.
struct FailsOnce(AtomicBool);

impl EventHandler<Forgotten> for FailsOnce {
    async fn handle(&self, _event: &Forgotten) -> Result<(), NoStock> {
        if self.0.swap(true, Ordering::Relaxed) { Ok(()) } else { Err(NoStock(std::fmt::Error)) }
    }
}

/// Calls the handler again if it fails, so often.
struct Again(usize);

impl Behavior for Again {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        for _ in 0..self.0 {
            if call.run().await.is_ok() {
                return Ok(());
            }
        }
        call.run().await
    }
}

fn of_one_that_fails_once(behaviors: &[usize]) -> Records {
    let handler = FailsOnce(AtomicBool::new(false));
    let builder = Mediator::builder().without_discovery().bind_handler::<Forgotten, _>(handler);
    let mediator = behaviors.iter().fold(builder, |builder, &times| builder.behavior(Again(times))).build().unwrap();
    recorded(Level::INFO, || drop(block_on(mediator.publish(Forgotten::new()))))
}

#[test]
fn a_handler_that_is_called_again_says_how_often() {
    let records = of_one_that_fails_once(&[1]);
    let (_, span) = records.span("process", "::FailsOnce");
    assert_eq!((field(span, "mediator.attempt"), field(span, "mediator.outcome")), ("2", "ok"));
}

#[test]
fn the_type_of_a_handlers_error_is_told_where_no_behavior_can_have_changed_it() {
    let records = of_one_that_fails_once(&[]);
    assert!(field(records.span("process", "::FailsOnce").1, "error.type").ends_with("::NoStock"));
    let records = of_one_that_fails_once(&[0]);
    assert_eq!(field(records.span("process", "::FailsOnce").1, "error.type"), "_OTHER");
}

#[test]
fn a_panic_stays_one() {
    let (records, result) = of_publish(&mediator(), Wish::Panic);
    assert_eq!(result.unwrap_err().failures()[0].panic_message(), Some("out of boxes"));
    let (reserve, span) = records.span("process", "::reserve");
    assert_eq!(field(span, "mediator.outcome"), "panicked");
    assert_eq!(field(span, "error.type"), "panic");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!(event.span, Some(reserve));
    assert_eq!(event.fields.get("exception.message"), Some("out of boxes"));
    assert!(records.spans.iter().all(|span| span.is_closed));
}

#[test]
fn a_publish_that_is_dropped_unfinished_says_what_did_not_run() {
    let mediator = mediator();
    let records = of_dropped(2, async move { mediator.publish(OrderPlaced::new(Wish::Wait)).await });
    let (publish, span) = records.span("publish", "::OrderPlaced");
    assert_eq!(field(span, "mediator.outcome"), "cancelled");
    assert_eq!(field(records.span("process", "::reserve").1, "mediator.outcome"), "cancelled");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!((event.level, event.span), (Level::WARN, Some(publish)));
    assert!(event.fields.get("mediator.cut_off").unwrap().ends_with("::reserve"), "{event:?}");
    assert!(event.fields.get("mediator.not_run").unwrap().ends_with("::thank"), "{event:?}");
    assert_eq!(event.fields.get("message"), Some("publish was dropped unfinished"));
    assert!(records.spans.iter().all(|span| span.is_closed));
}

#[test]
fn a_publish_that_was_never_polled_says_nothing() {
    let mediator = mediator();
    let records = of_dropped(0, mediator.publish(OrderPlaced::new(Wish::Wait)));
    assert!(records.spans.is_empty() && records.events.is_empty());
}

#[test]
fn strategies_that_are_dropped_say_what_was_cut_off() {
    async fn with(mediator: Mediator, strategy: impl EventPublisher) {
        let _ = mediator.publish_with(&strategy, OrderPlaced::new(Wish::Wait)).await;
    }

    async fn built_with(strategy: impl EventPublisher) {
        let mediator = builder().event_publisher(strategy).build().unwrap();
        let _ = mediator.publish(OrderPlaced::new(Wish::Wait)).await;
    }

    let check = |records: Records, not_run: &str| {
        let [event] = &records.events[..] else { panic!("{records:#?}") };
        assert!(event.fields.get("mediator.cut_off").unwrap().ends_with("::reserve"), "{event:?}");
        assert!(event.fields.get("mediator.not_run").unwrap().ends_with(not_run), "{event:?}");
        assert_eq!(field(records.span("publish", "::OrderPlaced").1, "mediator.outcome"), "cancelled");
        assert_eq!(field(records.span("process", "::reserve").1, "mediator.outcome"), "cancelled");
        assert!(records.spans.iter().all(|span| span.is_closed), "{records:#?}");
    };
    check(of_dropped(1, with(mediator(), SequentialEventPublisher)), "::thank");
    check(of_dropped(1, with(mediator(), JoinEventPublisher)), "");
    check(of_dropped(1, with(mediator(), BestEffortEventPublisher)), "::thank");
    check(of_dropped(2, built_with(GroupEventPublisher)), "");
    check(of_dropped(2, built_with(BestEffortEventPublisher)), "::thank");
}

#[test]
fn a_strategy_that_cuts_off_a_handler_tells_why() {
    let mediator = builder().event_publisher(Impatient).build().unwrap();
    let (records, result) = of_publish(&mediator, Wish::Wait);
    assert_eq!(result.unwrap_err().failures().len(), 1);
    assert_eq!(field(records.span("process", "::reserve").1, "mediator.outcome"), "cancelled");
    let (publish, span) = records.span("publish", "::OrderPlaced");
    assert_eq!(field(span, "mediator.outcome"), "failed");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!((event.level, event.span), (Level::ERROR, Some(publish)));
    assert_eq!(event.fields.get("error"), Some("too slow"));
}

#[test]
fn a_publish_that_cannot_lend_tells_it_once() {
    let mediator = builder().bind_fn(borrow).build().unwrap();
    let records = recorded(Level::INFO, || {
        let error = block_on(mediator.publish(Forgotten::new())).unwrap_err();
        assert_eq!(error.into_unpublished().len(), 1);
    });
    let (publish, span) = records.span("publish", "::Forgotten");
    assert_eq!(field(span, "mediator.outcome"), "failed");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!((event.level, event.span), (Level::ERROR, Some(publish)));
    assert!(event.fields.get("error").unwrap().contains("String"));
}

#[test]
fn an_event_without_handlers_has_a_span() {
    let records = recorded(Level::INFO, || block_on(mediator().publish(Forgotten::new())).unwrap());
    assert_eq!(field(records.span("publish", "::Forgotten").1, "mediator.outcome"), "ok");
    assert_eq!(records.spans.len(), 1);
}

fn of_send(b: u32) -> (Records, Result<u32, Refusal>) {
    let mut result = Ok(0);
    let records = recorded(Level::INFO, || result = block_on(mediator().send(Divide { a: 6, b })));
    (records, result)
}

#[test]
fn the_error_of_a_request_stays_what_it_is() {
    let (records, result) = of_send(0);
    assert!(matches!(result, Err(Refusal::By(0))));
    let (process, span) = records.span("process", "::divide");
    assert_eq!(field(span, "mediator.outcome"), "failed");
    assert!(field(span, "error.type").ends_with("::Refusal"));
    assert_eq!(field(records.span("send", "::Divide").1, "mediator.outcome"), "failed");
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!((event.level, event.span), (Level::ERROR, Some(process)));
    assert_eq!(event.fields.get("exception.message"), Some("division by 0"));
}

#[test]
fn a_send_whose_handler_panics_fails() {
    let (records, result) = of_send(13);
    assert!(matches!(result, Err(Refusal::Send(SendError::Panicked(_)))));
    assert_eq!(field(records.span("process", "::divide").1, "mediator.outcome"), "panicked");
    assert_eq!(field(records.span("send", "::Divide").1, "mediator.outcome"), "failed");
    assert_eq!(records.events.len(), 1);
}

#[test]
fn a_send_that_is_dropped_unfinished_says_so() {
    let mediator = mediator();
    let records = of_dropped(2, async move { mediator.send(Divide { a: 1, b: 99 }).await });
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!(event.level, Level::WARN);
    assert_eq!(event.fields.get("message"), Some("send was dropped unfinished"));
    assert!(event.fields.get("mediator.cut_off").unwrap().ends_with("::divide"));
    assert_eq!(event.fields.get("mediator.not_run"), Some(""));
    assert!(records.spans.iter().all(|span| span.is_closed && field(span, "mediator.outcome") == "cancelled"));
}

#[test]
fn a_request_without_a_handler_tells_it() {
    let mediator = Mediator::builder().without_discovery().build().unwrap();
    let records = recorded(Level::INFO, || {
        let error = block_on(mediator.send(Divide { a: 1, b: 1 })).unwrap_err();
        assert!(matches!(error, Refusal::Send(SendError::NoHandler(_))));
    });
    let [event] = &records.events[..] else { panic!("{records:#?}") };
    assert_eq!(event.level, Level::ERROR);
    assert_eq!(event.fields.get("message"), Some("message failed"));
}

#[test]
fn who_is_not_interested_is_told_nothing() {
    let records = recorded_elsewhere(|| {
        block_on(mediator().publish(OrderPlaced::new(Wish::Fail))).unwrap_err();
        block_on(mediator().send(Divide { a: 6, b: 0 })).unwrap_err();
    });
    assert!(records.spans.is_empty() && records.events.is_empty(), "{records:#?}");
}

#[test]
fn who_wants_warnings_only_is_told_of_failures_and_of_what_is_dropped() {
    let records = recorded(Level::WARN, || {
        block_on(mediator().publish(OrderPlaced::new(Wish::Fail))).unwrap_err();
        let mediator = mediator();
        let mut publish = pin!(mediator.publish(OrderPlaced::new(Wish::Wait)));
        assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    assert!(records.spans.is_empty());
    assert_eq!(records.events_at(Level::ERROR).len(), 1);
    assert_eq!(records.events_at(Level::WARN).len(), 1);
}

#[test]
fn behaviors_are_inside_the_span_of_their_handler() {
    struct Turn;

    impl Behavior for Turn {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            tracing::info!(target: "mediator", "before");
            call.run().await.map_err(|_| "turned".into())
        }
    }

    let mediator = builder().behavior(Turn).build().unwrap();
    let records = recorded(Level::INFO, || {
        let error = block_on(mediator.publish(OrderPlaced::new(Wish::Fail))).unwrap_err();
        assert_eq!(error.failures()[0].error().unwrap().to_string(), "turned");
        assert!(matches!(block_on(mediator.send(Divide { a: 6, b: 0 })), Err(Refusal::Send(SendError::Refused(_)))));
        assert_eq!(block_on(mediator.send(Divide { a: 6, b: 2 })).unwrap(), 3);
    });
    let (process, _) = records.span("process", "::reserve");
    let before = records.events_at(Level::INFO);
    assert!(before.iter().any(|event| event.span == Some(process)));
    let failures = records.events_at(Level::ERROR);
    assert_eq!(failures.len(), 2, "{failures:#?}");
    assert!(failures.iter().all(|event| event.fields.get("error") == Some("turned")));
    // Nothing of the watcher is shown.
    let text = mediator.topology().to_string();
    assert!(text.contains("Turn") && !text.contains("atcher"), "{text}");
}

#[test]
fn each_handler_of_a_group_has_its_span() {
    let mediator = builder().event_publisher(GroupEventPublisher).build().unwrap();
    let (records, result) = of_publish(&mediator, Wish::Work);
    result.unwrap();
    let (publish, _) = records.span("publish", "::OrderPlaced");
    assert_eq!(records.span("process", "::reserve").1.parent, Some(publish));
    assert_eq!(records.span("process", "::thank").1.parent, Some(publish));
}
