//! Handlers in the places of others.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, Status, assert_published};
use mediator_core::{BuildProblem, MediatorBuilder};
use mediator_tests::{Log, place};

use crate::world::*;

struct Unprovided;

#[event_handler(OrderPlaced, StockReserved, manual)]
struct Mailer {
    log: Log,
}

impl<E: Event> EventHandler<E> for Mailer {
    async fn handle(&self, _event: &E) {
        self.log.add(format!("mail of {}", E::event_name()));
    }
}

#[derive(Inject)]
struct Courier {
    _needs: Arc<Unprovided>,
}

impl EventHandler<OrderPlaced> for Courier {
    async fn handle(&self, _event: &OrderPlaced) {
        unreachable!("is replaced");
    }
}

struct Desk {
    log: Log,
}

impl Inject for Desk {
    fn inject(services: &mediator_core::Services<'_>) -> Result<Self, mediator_core::InjectError> {
        Ok(Self { log: services.get()? })
    }
}

#[event_handlers]
impl Desk {
    #[event_handler(manual)]
    async fn note(&self, _event: &OrderPlaced) {
        self.log.add("noted");
    }
}

fn builder(log: &Log) -> MediatorBuilder {
    let builder = Mediator::builder().without_discovery().provide(log.clone());
    builder.bind::<OrderPlaced, Mailer>().bind_fn(Desk::note).bind::<StockReserved, Mailer>()
}

#[test]
fn a_stand_in_is_called_in_the_place_and_under_the_name_of_the_other_handler() {
    let (log, recorder) = (Log::default(), Recorder::new());
    let stand_in = log.clone();
    let mediator = builder(&log)
        .recorder(&recorder)
        .replace::<OrderPlaced, Mailer>(move |event: &OrderPlaced| stand_in.add(event.order_id.clone()))
        .build()
        .unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    block_on(mediator.publish(StockReserved::new(1))).unwrap();
    assert_eq!(log.entries(), ["o-1", "noted", "mail of stock.reserved"]);
    insta::assert_snapshot!(recorder, @r"
    event orders.placed #1: ok
    ├─ kit::stand_ins::Mailer: ok
    └─ kit::stand_ins::Desk::note: ok
    event stock.reserved #2: ok
    └─ kit::stand_ins::Mailer: ok
    ");
}

#[test]
fn a_function_and_a_method_are_replaced_by_their_paths() {
    let log = Log::default();
    let (note, invoice) = (log.clone(), log.clone());
    let mediator = builder(&log)
        .bind_fn(write_invoice)
        .replace_fn::<OrderPlaced>(Desk::note, move |_: &OrderPlaced| note.add("stand-in of the method"))
        .replace_fn::<OrderPlaced>(write_invoice, move |_: &OrderPlaced| invoice.add("stand-in of the function"))
        .build()
        .unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    assert_eq!(log.entries(), ["mail of orders.placed", "stand-in of the method", "stand-in of the function"]);
}

#[test]
fn a_handler_of_the_tests_own_stands_in_also_twice_and_can_be_looked_into() {
    #[derive(Default)]
    struct Spy(Mutex<Vec<String>>);

    impl<E: Event> EventHandler<E> for Spy {
        async fn handle(&self, event: &E) -> Result<(), String> {
            self.0.lock().unwrap().push(event.event_id().to_string());
            Ok(())
        }
    }

    let (spy, other) = (Arc::new(Spy::default()), Arc::new(Spy::default()));
    let mediator = builder(&Log::default())
        .replace::<OrderPlaced, Mailer>(spy.clone())
        .replace_fn::<OrderPlaced>(Desk::note, other.clone())
        .build()
        .unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    assert_eq!((spy.0.lock().unwrap().len(), other.0.lock().unwrap().len()), (1, 1));
}

#[test]
fn what_only_a_replaced_handler_needs_is_neither_provided_nor_lent() {
    #[event_handler(manual)]
    fn borrow(_event: &OrderPlaced, _unprovided: &Unprovided) {}

    let mediator = Mediator::builder()
        .without_discovery()
        .bind::<OrderPlaced, Courier>()
        .bind_fn(borrow)
        .replace::<OrderPlaced, Courier>(|_: &OrderPlaced| ())
        .replace_fn::<OrderPlaced>(borrow, |_: &OrderPlaced| ())
        .build()
        .unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
}

#[test]
fn an_observer_is_replaced() {
    #[event_handler(manual)]
    fn observe(_event: &dyn DynNotification) {
        unreachable!("is replaced");
    }

    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let stand_in = move |_: &dyn DynNotification| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let builder = Mediator::builder().without_discovery().bind_fn(observe).bind_fn(write_invoice);
    let mediator = builder.replace_fn::<dyn DynNotification>(observe, stand_in).build().unwrap();
    block_on(mediator.publish(placed("o-1", 1))).unwrap();
    block_on(mediator.publish(Counted(1))).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[test]
fn a_handler_that_is_made_to_fail_fails_each_time_with_an_error_of_its_type() {
    let (log, recorder) = (Log::default(), Recorder::new());
    let mediator = builder(&log)
        .recorder(&recorder)
        .failing::<OrderPlaced, Mailer>(io::Error::new(io::ErrorKind::TimedOut, "the server is down"))
        .build()
        .unwrap();
    for _ in 0..2 {
        let error = block_on(mediator.publish(placed("o-1", 1))).unwrap_err();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::TimedOut);
        assert_eq!(format!("{error:#}").matches("the server is down").count(), 1, "{error:#}");
    }
    assert!(log.entries().is_empty());
    assert_published!(recorder, OrderPlaced { .. });
    assert_eq!(*recorder.records()[0].handlers()[0].status(), Status::Failed("the server is down".into()));
    assert_eq!(*recorder.records()[0].handlers()[1].status(), Status::NotRun);
}

#[test]
fn a_text_is_an_error_as_well() {
    let mediator = builder(&Log::default()).failing::<StockReserved, Mailer>("out of paper").build().unwrap();
    let error = block_on(mediator.publish(StockReserved::new(1))).unwrap_err();
    assert_eq!(error.failures()[0].error().unwrap().to_string(), "out of paper");
}

#[test]
fn a_stand_in_for_what_nobody_registered_is_a_problem_with_its_place() {
    let log = Log::default();
    let line = line!() + 2;
    let error = builder(&log)
        .replace::<OrderPlaced, Courier>(|_: &OrderPlaced| ())
        .replace_fn::<StockReserved>(write_invoice, |_: &StockReserved| ())
        .failing::<OrderPlaced, Courier>("no")
        .build()
        .unwrap_err();
    let places = error.problems().iter().map(|problem| match problem {
        BuildProblem::NothingToReplace { location, .. } => place(location),
        other => panic!("{other}"),
    });
    assert_eq!(places.collect::<Vec<_>>(), [0, 1, 2].map(|more| ("stand_ins.rs", line + more)));
    let text = error.problems()[1].to_string();
    assert!(text.contains("write_invoice") && text.contains("nobody registered it for `stock.reserved`"), "{text}");
    assert!(text.contains("Mailer"), "{text}");
}
