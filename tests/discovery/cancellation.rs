//! Dropping the future of a publish cancels it.
#![allow(missing_docs)]

use std::task::Poll;

use mediator_core::prelude::*;
use mediator_tests::{BestEffort, Log, On, Stepped, bind_scripted, forever, ok, pending};

#[event]
struct Tick;

#[test]
fn sequential_drops_the_running_handler_at_its_await_and_starts_no_other() {
    let log = Log::default();
    let scripts = [ok(1), ok(2), ok(0)];
    let mediator = bind_scripted::<Tick>(Mediator::builder().without_discovery(), &log, &scripts).build().unwrap();
    let mut publish = Stepped::new(mediator.publish(Tick::new()));
    assert!(publish.step().is_pending());
    assert_eq!(log.take(), ["0 starts"]);
    assert!(publish.step().is_pending());
    assert_eq!(log.take(), ["0 ends", "1 starts"]);
    drop(publish);
    assert_eq!(log.take(), ["1 is dropped"]);
}

#[test]
fn group_drops_all_that_are_running_and_undoes_nothing() {
    let log = Log::default();
    let scripts = [forever(), ok(0), ok(1), forever()];
    let mediator = bind_scripted::<Tick>(Mediator::builder().without_discovery(), &log, &scripts).build().unwrap();
    let mut publish = Stepped::new(mediator.publish_with(&GroupEventPublisher, Tick::new()));
    assert!(publish.step().is_pending());
    assert!(publish.step().is_pending());
    assert_eq!(log.take(), ["0 starts", "1 starts", "1 ends", "2 starts", "3 starts", "2 ends"]);
    drop(publish);
    assert_eq!(log.take(), ["0 is dropped", "3 is dropped"]);
}

#[test]
fn a_strategy_of_ones_own_is_cancelled_too() {
    let log = Log::default();
    let builder = Mediator::builder().without_discovery().event_publisher(BestEffort);
    let mediator = bind_scripted::<Tick>(builder, &log, &[forever(), ok(0)]).build().unwrap();
    let mut publish = Stepped::new(mediator.publish(Tick::new()));
    assert!(publish.step().is_pending());
    drop(publish);
    assert_eq!(log.take(), ["0 starts", "0 is dropped"]);
}

#[test]
fn publish_all_stops_at_the_event_that_is_being_published() {
    let log = Log::default();
    let mediator = bind_scripted::<Tick>(Mediator::builder().without_discovery(), &log, &[ok(1)]).build().unwrap();
    let events: Vec<Box<dyn DynNotification>> = (0..3).map(|_| Box::new(Tick::new()) as _).collect();
    let mut publish = Stepped::new(mediator.publish_all(events));
    assert!(publish.step().is_pending());
    assert!(publish.step().is_pending());
    drop(publish);
    assert_eq!(log.take(), ["0 starts", "0 ends", "0 starts", "0 is dropped"]);
}

#[event]
struct Outer;

#[event_handler]
async fn publishes_inside(_event: &Outer, publisher: Publisher, log: Log) -> Result<(), PublishError> {
    let _dropped = log.on_drop("outer is dropped");
    publisher.publish(Inner::new()).await
}

#[event]
struct Inner;

#[event_handler]
async fn waits_inside(_event: &Inner, log: Log) {
    let _dropped = log.on_drop("inner is dropped");
    std::future::pending::<()>().await;
}

#[test]
fn a_nested_publish_is_cancelled_with_the_outer_one() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    let mut publish = Stepped::new(mediator.publish(Outer::new()));
    assert!(publish.step().is_pending());
    assert!(log.entries().is_empty());
    drop(publish);
    assert_eq!(log.take(), ["inner is dropped", "outer is dropped"]);
}

#[test]
fn a_mediator_is_as_good_as_new_after_a_cancelled_publish() {
    let log = Log::default();
    let mediator =
        bind_scripted::<Tick>(Mediator::builder().without_discovery(), &log, &[ok(1), ok(1)]).build().unwrap();
    for group in [false, true] {
        for polls in 0..3 {
            let mut cancelled = if group {
                Stepped::new(mediator.publish_with(&GroupEventPublisher, Tick::new()))
            } else {
                Stepped::new(mediator.publish(Tick::new()))
            };
            for _ in 0..polls {
                let _ = cancelled.step();
            }
            // One that runs while the other is half done is not disturbed either.
            futures::executor::block_on(mediator.publish(Tick::new())).unwrap();
        }
    }
    log.take();
    futures::executor::block_on(mediator.publish(Tick::new())).unwrap();
    assert_eq!(log.take(), ["0 starts", "0 ends", "1 starts", "1 ends"]);
}

#[test]
fn the_event_lives_until_the_last_handler_is_dropped() {
    #[derive(Notification)]
    struct Fragile(mediator_tests::OnDrop);

    struct Borrows(Log);

    impl EventHandler<Fragile> for Borrows {
        async fn handle(&self, event: &Fragile) {
            let _dropped = self.0.on_drop("the handler is dropped");
            pending(usize::MAX).await;
            let Fragile(_still_there) = event;
        }
    }

    for group in [false, true] {
        let log = Log::default();
        let mediator = Mediator::builder().without_discovery().bind_handler(Borrows(log.clone())).build().unwrap();
        let event = Fragile(log.on_drop("the event is dropped"));
        let mut publish = if group {
            Stepped::new(mediator.publish_with(&GroupEventPublisher, event))
        } else {
            Stepped::new(mediator.publish(event))
        };
        assert!(publish.step().is_pending());
        drop(publish);
        assert_eq!(log.take(), ["the handler is dropped", "the event is dropped"]);
    }
}

#[test]
fn a_group_that_fails_cancels_before_it_reports() {
    let log = Log::default();
    let ended = log.clone();
    let mediator = bind_scripted::<Tick>(Mediator::builder().without_discovery(), &log, &[forever(), forever()])
        .bind_handler::<Tick, _>(On(move |_: &Tick| {
            let log = ended.clone();
            async move {
                pending(1).await;
                log.add("failing");
                Err::<(), _>("failed")
            }
        }))
        .build()
        .unwrap();
    let mut publish = Stepped::new(mediator.publish_with(&GroupEventPublisher, Tick::new()));
    assert!(publish.step().is_pending());
    log.take();
    let Poll::Ready(Err(error)) = publish.step() else { panic!("the publish has not failed") };
    // The future of the publish still exists, those of the handlers do not.
    assert_eq!(log.take(), ["failing", "0 is dropped", "1 is dropped"]);
    assert_eq!(error.cancelled().len(), 2);
    drop(publish);
    assert!(log.take().is_empty());
}
