//! What a recorder knows of what was published and sent.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Weak};
use std::thread;

use anyhow::Context;
use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::testing::{Record, Recorder, Status, assert_published};
use mediator_core::{JoinEventPublisher, PublishErrorKind};
use mediator_tests::{Stepped, gate};

use crate::world::*;

fn statuses(record: &Record) -> Vec<(&'static str, Status)> {
    record.handlers().iter().map(|it| (it.handler().name(), it.status().clone())).collect()
}

#[test]
fn events_that_nobody_handles_are_recorded_and_need_neither_clone_nor_an_id() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).build().unwrap();
    for number in 1..=3 {
        block_on(mediator.publish(Counted(number))).unwrap();
    }
    let counted: Vec<_> = recorder.published::<Counted>().iter().map(|event| event.0).collect();
    assert_eq!(counted, [1, 2, 3]);
    assert_eq!(recorder.matching(|event: &Counted| event.0 > 1).len(), 2);
    assert!(recorder.published::<OrderPlaced>().is_empty());
}

#[test]
fn events_in_boxes_are_recorded_by_the_type_inside() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).build().unwrap();
    let boxed: Box<dyn DynNotification> = Box::new(Counted(1));
    block_on(mediator.publish(boxed)).unwrap();
    block_on(mediator.publish_all(vec![Box::new(placed("o-1", 1)), Box::new(Counted(2))])).unwrap();
    block_on(mediator.publish_with(&GroupEventPublisher, Counted(3))).unwrap();
    block_on(mediator.publish_with(&Backwards, Box::new(Counted(4)) as Box<dyn DynNotification>)).unwrap();
    assert_eq!(recorder.published::<Counted>().iter().map(|event| event.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(recorder.published::<OrderPlaced>()[0].order_id, "o-1");
}

#[test]
fn the_tree_has_nested_publishes_below_their_handlers_and_numbers_for_ids() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    block_on(mediator.send(PlaceOrder { order_id: "o-1".into(), total: 5 })).unwrap();
    block_on(mediator.publish(placed("o-2", 500))).unwrap_err();
    block_on(mediator.send(PlaceOrder { order_id: "o-3".into(), total: 0 })).unwrap_err();
    insta::assert_snapshot!(recorder, @r"
    request kit::world::PlaceOrder: ok: 5
    └─ kit::world::place_order: ok
       └─ event orders.placed #1: ok
          ├─ stock: ok
          │  └─ event stock.reserved #2: ok
          │     └─ shelves: ok
          └─ invoices: ok
    event orders.placed #3: failed
    ├─ stock: failed: publishing `stock.reserved` failed
    │  └─ event stock.reserved #4: failed
    │     └─ shelves: panicked: out of boxes
    └─ invoices: not run
    request kit::world::PlaceOrder: failed
    └─ kit::world::place_order: failed: an order of nothing
    ");
}

#[test]
fn events_by_all_strategies_are_below_the_handler_that_published_them() {
    for of_each in [true, false] {
        let recorder = Recorder::new();
        let builder = shop(&recorder);
        let mediator = match of_each {
            true => builder.event_publisher(JoinEventPublisher).build().unwrap(),
            false => builder.event_publisher(Backwards).build().unwrap(),
        };
        block_on(mediator.publish(placed("o-1", 5))).unwrap();
        let records = recorder.records();
        assert_eq!((records[0].cause(), records[1].cause()), (None, Some(0)));
        assert!(recorder.tree().contains("stock: ok\n│  └─ event stock.reserved #2"), "{recorder}");
    }
}

#[test]
fn requests_are_recorded_with_how_they_were_answered() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    block_on(mediator.send(PlaceOrder { order_id: "o-1".into(), total: 5 })).unwrap();
    block_on(mediator.send(PlaceOrder { order_id: "o-2".into(), total: 0 })).unwrap_err();
    let sent = recorder.sent::<PlaceOrder>();
    assert_eq!(sent.iter().map(|request| request.total).collect::<Vec<_>>(), [5, 0]);
    let answers: Vec<_> = recorder.records().into_iter().filter(Record::is_request).collect();
    assert_eq!(*answers[0].status(), Status::Ok);
    assert_eq!(*answers[1].status(), Status::Failed("an order of nothing".into()));
    assert_eq!((answers[0].answer(), answers[1].answer()), (Some("5"), None));
    assert_eq!(answers[1].request::<PlaceOrder>().unwrap().order_id, "o-2");
    assert!(answers[1].event::<OrderPlaced>().is_none());
}

#[test]
fn an_answer_that_is_not_debug_or_is_nothing_is_told_without_words() {
    struct Secret;

    #[request(Secret)]
    struct Reveal;

    #[request]
    struct Forget;

    #[request_handler(manual, name = "reveal")]
    fn reveal(_request: &Reveal) -> Secret {
        Secret
    }

    #[request_handler(manual, name = "forget")]
    fn forget(_request: &Forget) {}

    let recorder = Recorder::new();
    let mediator = recorded(&recorder).bind_fn(reveal).bind_fn(forget).build().unwrap();
    let Secret = block_on(mediator.send(Reveal)).unwrap();
    block_on(mediator.send(Forget)).unwrap();
    assert_eq!(recorder.records()[0].answer(), None);
    let tree = recorder.tree();
    let roots: Vec<_> = tree.lines().filter(|line| line.starts_with("request")).collect();
    assert!(roots.iter().all(|root| root.ends_with(": ok")), "{roots:?}");
}

#[test]
fn a_request_without_a_handler_is_recorded() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).build().unwrap();
    block_on(mediator.send(PlaceOrder { order_id: "o-1".into(), total: 5 })).unwrap_err();
    assert_eq!(recorder.sent::<PlaceOrder>().len(), 1);
    assert!(matches!(recorder.records()[0].status(), Status::Failed(_)));
}

#[test]
fn handlers_that_fail_panic_or_are_not_run_say_so() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    block_on(mediator.publish(placed("o-1", 500))).unwrap_err();
    let records = recorder.records();
    let failed = Status::Failed("publishing `stock.reserved` failed".into());
    assert_eq!(statuses(&records[0]), [("stock", failed), ("invoices", Status::NotRun)]);
    assert_eq!(statuses(&records[1]), [("shelves", Status::Panicked("out of boxes".into()))]);
    assert!(matches!(records[0].status(), Status::Failed(_)));
    assert_eq!(records[0].event::<OrderPlaced>().unwrap().total, 500);
}

#[test]
fn a_nested_publish_that_failed_is_one_line_whatever_error_the_handler_puts_around_it() {
    #[derive(Debug)]
    struct NoStock(PublishError);

    impl fmt::Display for NoStock {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no stock")
        }
    }

    impl Error for NoStock {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[event_handler(manual, name = "anyhow")]
    async fn with_anyhow(event: &OrderPlaced, publisher: &Publisher) -> anyhow::Result<()> {
        Ok(publisher.publish(StockReserved::new(event.total)).await?)
    }

    #[event_handler(manual, name = "context")]
    async fn with_context(event: &OrderPlaced, publisher: &Publisher) -> anyhow::Result<()> {
        publisher.publish(StockReserved::new(event.total)).await.context("cannot reserve")
    }

    #[event_handler(manual, name = "own")]
    async fn with_its_own(event: &OrderPlaced, publisher: &Publisher) -> Result<(), NoStock> {
        publisher.publish(StockReserved::new(event.total)).await.map_err(NoStock)
    }

    let recorder = Recorder::new();
    let builder = recorded(&recorder).bind_fn(with_anyhow).bind_fn(with_context).bind_fn(with_its_own);
    let mediator = builder.bind_fn(empty_shelf).event_publisher(BestEffortEventPublisher).build().unwrap();
    block_on(mediator.publish(placed("o-1", 500))).unwrap_err();
    insta::assert_snapshot!(recorder, @r"
    event orders.placed #1: failed
    ├─ anyhow: failed: publishing `stock.reserved` failed
    │  └─ event stock.reserved #2: failed
    │     └─ shelves: panicked: out of boxes
    ├─ context: failed: cannot reserve: publishing `stock.reserved` failed
    │  └─ event stock.reserved #3: failed
    │     └─ shelves: panicked: out of boxes
    └─ own: failed: no stock: publishing `stock.reserved` failed
       └─ event stock.reserved #4: failed
          └─ shelves: panicked: out of boxes
    ");
}

#[test]
fn a_publish_that_is_dropped_is_recorded_with_its_event_as_cancelled() {
    let recorder = Recorder::new();
    let (_open, gate) = gate();
    let mediator = recorded(&recorder).provide(gate).bind_fn(wait_at_gate).bind_fn(write_invoice).build().unwrap();
    for with in [false, true] {
        let publish = async {
            match with {
                true => mediator.publish_with(&Backwards, placed("o-2", 2)).await,
                false => mediator.publish(placed("o-1", 1)).await,
            }
        };
        let mut publish = Stepped::new(publish);
        assert!(publish.step().is_pending());
        assert_eq!(*recorder.records().last().unwrap().status(), Status::Running);
        drop(publish);
    }
    let records = recorder.records();
    assert_eq!(statuses(&records[0]), [("gate", Status::Cancelled), ("invoices", Status::NotRun)]);
    assert_eq!(statuses(&records[1]), [("gate", Status::Cancelled), ("invoices", Status::Ok)]);
    for (record, order_id) in records.iter().zip(["o-1", "o-2"]) {
        assert_eq!(*record.status(), Status::Cancelled);
        assert_eq!(record.event::<OrderPlaced>().unwrap().order_id, order_id);
    }
}

#[test]
fn an_event_comes_into_the_recorder_when_its_publish_ends() {
    let recorder = Recorder::new();
    let (open, gate) = gate();
    let mediator = recorded(&recorder).provide(gate).bind_fn(wait_at_gate).build().unwrap();
    let mut publish = Stepped::new(mediator.publish(placed("o-1", 1)));
    assert!(publish.step().is_pending());
    assert!(recorder.published::<OrderPlaced>().is_empty());
    open.send(()).unwrap();
    assert!(publish.step().is_ready());
    assert_eq!(recorder.published::<OrderPlaced>().len(), 1);
}

#[test]
fn events_are_in_the_order_in_which_their_publishes_started() {
    let recorder = Recorder::new();
    let (open, gate) = gate();
    let mediator = recorded(&recorder).provide(gate).bind_fn(wait_at_gate).build().unwrap();
    let mut first = Stepped::new(mediator.publish(placed("first", 1)));
    assert!(first.step().is_pending());
    open.send(()).unwrap();
    block_on(mediator.publish(placed("second", 1))).unwrap();
    assert!(first.step().is_ready());
    let order: Vec<_> = recorder.published::<OrderPlaced>().iter().map(|event| event.order_id.clone()).collect();
    assert_eq!(order, ["first", "second"]);
}

struct Connection;

#[event_handler(manual, name = "borrowing")]
fn borrow(_event: &OrderPlaced, _db: &mut Connection) {}

#[test]
fn a_publish_that_is_refused_gives_its_event_back_and_is_recorded_without_it() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).bind_fn(borrow).build().unwrap();
    for with in [false, true] {
        let error = match with {
            true => block_on(mediator.publish_with(&Backwards, placed("o-1", 1))).unwrap_err(),
            false => block_on(mediator.publish(placed("o-1", 1))).unwrap_err(),
        };
        assert_eq!(error.kind(), PublishErrorKind::NotLent);
        assert_eq!(error.into_unpublished()[0].downcast_ref::<OrderPlaced>().unwrap().order_id, "o-1");
        let record = recorder.records().pop().unwrap();
        assert!(matches!(record.status(), Status::Refused(error) if error.contains("Connection")), "{record:?}");
        assert_eq!(statuses(&record), [("borrowing", Status::NotRun)]);
    }
    assert!(recorder.published::<OrderPlaced>().is_empty());
    block_on(mediator.with(&mut Connection).publish(placed("o-2", 1))).unwrap();
    assert_eq!(recorder.published::<OrderPlaced>()[0].order_id, "o-2");
}

#[event_handler(manual, name = "injected")]
async fn publish_by_itself(_event: &OrderPlaced, publisher: Publisher) -> Result<(), PublishError> {
    publisher.publish(Counted(1)).await
}

#[test]
fn a_publish_through_an_injected_handle_is_recorded_by_itself() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).bind_fn(publish_by_itself).build().unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    insta::assert_snapshot!(recorder, @r"
    event orders.placed #1: ok
    └─ injected: ok
    event kit::world::Counted: ok
    ");
}

#[event_handler(manual, name = "observer")]
async fn observe(event: &dyn DynNotification, publisher: &Publisher) -> Result<(), PublishError> {
    match event.downcast_ref::<Counted>() {
        Some(_) => Ok(()),
        None => publisher.publish(Counted(1)).await,
    }
}

struct Lends;

impl Behavior for Lends {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let _ = call.with(&5_u8).run().await;
        call.with(&5_u8).run().await
    }
}

#[test]
fn publishes_of_observers_within_what_behaviors_repeat_are_below_their_handlers() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).bind_fn(observe).behavior(Lends).build().unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    insta::assert_snapshot!(recorder, @r"
    event orders.placed #1: ok
    └─ observer: ok
       ├─ event kit::world::Counted: ok
       │  └─ observer: ok
       └─ event kit::world::Counted: ok
          └─ observer: ok
    ");
}

#[test]
fn the_mediator_and_its_handlers_are_dropped_while_the_recorder_lives() {
    struct Probe(#[allow(dead_code)] Arc<()>);

    impl EventHandler<OrderPlaced> for Probe {
        async fn handle(&self, _event: &OrderPlaced) {}
    }

    let recorder = Recorder::new();
    let alive = Arc::new(());
    let weak: Weak<()> = Arc::downgrade(&alive);
    let mediator = recorded(&recorder).bind_handler::<OrderPlaced, _>(Probe(alive)).build().unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    drop(mediator);
    assert!(weak.upgrade().is_none());
    assert_eq!(recorder.published::<OrderPlaced>().len(), 1);
}

#[test]
fn recorders_of_two_mediators_share_nothing() {
    let recorders = [Recorder::new(), Recorder::new()];
    thread::scope(|scope| {
        for (number, recorder) in (1..).zip(&recorders) {
            scope.spawn(move || {
                let mediator = shop(recorder).build().unwrap();
                for _ in 0..number {
                    block_on(mediator.publish(placed("o-1", 1))).unwrap();
                }
            });
        }
    });
    let counts = recorders.each_ref().map(|recorder| recorder.published::<StockReserved>().len());
    assert_eq!(counts, [1, 2]);
}

#[test]
fn threads_that_publish_at_the_same_time_are_all_recorded() {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| block_on(mediator.publish(placed("o-1", 1))).unwrap()));
        }
    });
    assert_eq!(recorder.published::<OrderPlaced>().len(), 100);
    assert_eq!(recorder.published::<StockReserved>().len(), 100);
    assert!(recorder.records().iter().all(|record| *record.status() == Status::Ok));
}

#[test]
fn ids_in_texts_are_numbers_too() {
    #[event_handler(manual, name = "says its id")]
    fn say_id(event: &OrderPlaced) -> Result<(), String> {
        Err(format!("cannot handle {}", event.event_id))
    }

    let recorder = Recorder::new();
    let mediator = recorded(&recorder).bind_fn(say_id).build().unwrap();
    block_on(mediator.publish(StockReserved::new(1))).unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap_err();
    insta::assert_snapshot!(recorder, @r"
    event stock.reserved #1: ok
    event orders.placed #2: failed
    └─ says its id: failed: cannot handle #2
    ");
}

#[test]
fn an_empty_recorder_says_that_there_is_nothing() {
    assert_eq!(Recorder::new().to_string(), "nothing was published or sent\n");
}

#[test]
fn record_only_calls_no_handler_of_an_event_and_builds_none() {
    #[derive(Inject)]
    struct NeedsWhatNobodyProvides {
        _unknown: Arc<Connection>,
    }

    impl EventHandler<OrderPlaced> for NeedsWhatNobodyProvides {
        async fn handle(&self, _event: &OrderPlaced) {
            unreachable!("is not called");
        }
    }

    let recorder = Recorder::new();
    let builder = shop(&recorder).bind::<OrderPlaced, NeedsWhatNobodyProvides>().bind_fn(observe);
    let mediator = builder.require_handler::<OrderPlaced>().record_only().build().unwrap();
    block_on(mediator.publish(placed("o-1", 500))).unwrap();
    assert_eq!(block_on(mediator.send(PlaceOrder { order_id: "o-2".into(), total: 500 })).unwrap(), 500);
    assert_published!(recorder, OrderPlaced { order_id, .. } if order_id == "o-2");
    insta::assert_snapshot!(recorder, @r"
    event orders.placed #1: ok
    request kit::world::PlaceOrder: ok: 500
    └─ kit::world::place_order: ok
       └─ event orders.placed #2: ok
    ");
}
