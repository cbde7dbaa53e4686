//! Observers: called with every event, in their place among its handlers.

use std::sync::Arc;

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder};
use mediator_tests::{Log, On, pending};

#[event]
struct Placed {
    order: u32,
}

/// Nobody else handles it.
#[event]
struct Lonely;

/// Not known to the macros.
struct Handmade;

impl Notification for Handmade {}

#[event_handler(manual)]
async fn watch(event: &dyn DynNotification, publisher: &Publisher, log: Log) {
    pending(1).await;
    assert_eq!(publisher.cause().unwrap().event_id(), event.event_id());
    log.add(format!("watch {}", mediator_tests::short(event.event_name())));
}

#[event_handler(manual)]
fn peek(event: &dyn DynNotification, log: Log, order: Option<&u32>) {
    let order = event.downcast_ref::<Placed>().map(|placed| placed.order).or(order.copied());
    log.add(format!("peek {order:?}"));
}

#[event_handler(manual)]
fn handle(event: &Placed, log: Log) {
    log.add(format!("handle {}", event.order));
}

mod discovered {
    use super::*;

    #[event_handler(dyn DynNotification, order = 1)]
    struct Last {
        log: Log,
    }

    impl EventHandler<dyn DynNotification> for Last {
        async fn handle(&self, event: &dyn DynNotification) -> Result<(), String> {
            self.log.add("last");
            if event.downcast_ref::<Lonely>().is_some() { Err("lonely".to_owned()) } else { Ok(()) }
        }
    }

    #[derive(Inject)]
    struct First {
        log: Log,
    }

    #[event_handlers]
    impl First {
        #[event_handler(order = -1)]
        fn first(&self, _event: &dyn DynNotification) {
            self.log.add("first");
        }
    }

    #[event_handler]
    fn between(_event: &Placed, log: Log) {
        log.add("between");
    }
}

fn bound(log: &Log) -> MediatorBuilder {
    let builder = Mediator::builder().without_discovery().provide(log.clone());
    builder.bind_fn(watch).bind_fn(handle).bind_fn(peek)
}

#[test]
fn an_observer_sees_every_event_in_its_place_in_the_order() {
    let log = Log::default();
    let mediator = bound(&log).build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    assert_eq!(log.take(), ["watch Placed", "handle 1", "peek Some(1)"]);
    block_on(mediator.with(&5_u32).publish(Lonely::new())).unwrap();
    block_on(mediator.publish(Handmade)).unwrap();
    let boxed: Box<dyn DynNotification> = Box::new(Handmade);
    block_on(mediator.publish(boxed)).unwrap();
    let seen = ["watch Lonely", "peek Some(5)", "watch Handmade", "peek None", "watch Handmade", "peek None"];
    assert_eq!(log.take(), seen);
}

#[test]
fn the_declared_order_holds_for_observers_of_every_form() {
    let log = Log::default();
    let builder = Mediator::builder().provide(log.clone());
    let mediator = builder.discover_where(|it| it.module_path().starts_with(concat!(module_path!(), "::discovered")));
    let mediator = mediator.build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    assert_eq!(log.take(), ["first", "between", "last"]);
    let error = block_on(mediator.publish(Lonely::new())).unwrap_err();
    assert!(error.failures()[0].handler_name().ends_with("::Last"));
    assert_eq!(log.take(), ["first", "last"]);
    assert_eq!(mediator.topology().observers().len(), 2);
}

#[test]
fn every_strategy_runs_observers() {
    let log = Log::default();
    let mediator = bound(&log).event_publisher(GroupEventPublisher).build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    assert_eq!(log.take(), ["handle 1", "peek Some(1)", "watch Placed"]);
    block_on(mediator.publish_with(&BestEffortEventPublisher, Placed::new(2))).unwrap();
    assert_eq!(log.take(), ["watch Placed", "handle 2", "peek Some(2)"]);
    block_on(mediator.publish_with(&JoinEventPublisher, Placed::new(3))).unwrap();
    assert_eq!(log.take(), ["handle 3", "peek Some(3)", "watch Placed"]);
    block_on(mediator.publish_with(&SequentialEventPublisher, Placed::new(4))).unwrap();
    assert_eq!(log.take(), ["watch Placed", "handle 4", "peek Some(4)"]);
    block_on(mediator.publish(Lonely::new())).unwrap();
    assert_eq!(log.take(), ["peek None", "watch Lonely"]);
}

#[test]
fn an_observer_is_no_handler_of_an_event_that_must_have_one() {
    let error = bound(&Log::default()).require_handler::<Lonely>().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::NoHandler { .. }]), "{error}");
}

#[test]
fn a_method_may_observe_and_be_bound() {
    #[derive(Inject)]
    struct Methods {
        log: Log,
    }

    #[event_handlers]
    impl Methods {
        #[event_handler(dyn DynNotification, manual)]
        async fn method(&self, event: &dyn DynNotification, publisher: &Publisher) -> Result<(), String> {
            pending(1).await;
            self.log.add(format!("method {}", publisher.is_weak()));
            event.downcast_ref::<Placed>().map(|_| ()).ok_or("another".to_owned())
        }
    }

    let log = Log::default();
    let bound = Mediator::builder().without_discovery().provide(log.clone());
    let mediator = bound.bind_fn(Methods::method).build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    let error = block_on(mediator.publish(Lonely::new())).unwrap_err();
    assert_eq!(error.failures()[0].error().unwrap().to_string(), "another");
    assert_eq!(log.take(), ["method true", "method true"]);
}

#[test]
fn an_observer_borrows_only_what_every_publish_lends() {
    #[event_handler(manual)]
    fn demands(_event: &dyn DynNotification, order: &u32) {
        let _ = order;
    }

    let error = Mediator::builder().without_discovery().bind_fn(demands).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::ObserverBorrows { .. }]), "{error}");
    assert!(error.to_string().contains("make it an `Option<&…>`"), "{error}");
}

#[test]
fn handlers_of_one_event_may_stand_before_or_after_an_observer() {
    #[event_handler(manual)]
    fn any(_event: &dyn DynNotification, log: Log) {
        log.add("any");
    }

    let log = Log::default();
    let (bound, after) = (Mediator::builder().without_discovery().provide(log.clone()), log.clone());
    let late = On(move |_: &Placed| {
        after.add("late");
        async {}
    });
    let mediator = bound.bind_handler::<Placed, _>(late).bind_fn(any).build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    assert_eq!(log.entries(), ["late", "any"]);
}

#[test]
fn a_struct_that_observes_is_bound_to_every_event_by_its_type_or_ready_made() {
    #[event_handler(dyn DynNotification, manual)]
    struct Trace {
        log: Log,
        #[inject(with = "built")]
        name: &'static str,
    }

    impl EventHandler<dyn DynNotification> for Trace {
        async fn handle(&self, event: &dyn DynNotification) {
            self.log.add(format!("{} {}", self.name, mediator_tests::short(event.event_name())));
        }
    }

    let log = Log::default();
    let builder = || Mediator::builder().without_discovery().provide(log.clone());
    let built = builder().bind::<dyn DynNotification, Trace>().build().unwrap();
    block_on(built.publish(Placed::new(1))).unwrap();
    let trace = |name| Trace { log: log.clone(), name };
    let ready = builder().bind_handler::<dyn DynNotification, _>(trace("ready")).build().unwrap();
    block_on(ready.publish(Lonely::new())).unwrap();
    let shared = builder().bind_handler::<dyn DynNotification, _>(Arc::new(trace("shared"))).build().unwrap();
    block_on(shared.publish(Handmade)).unwrap();
    let named = builder().bind_handler_named::<dyn DynNotification, _>("one", trace("one"));
    let named = named.bind_handler_named::<dyn DynNotification, _>("other", trace("other")).build().unwrap();
    block_on(named.publish(Placed::new(2))).unwrap();
    let seen = ["built Placed", "ready Lonely", "shared Handmade", "one Placed", "other Placed"];
    assert_eq!(log.take(), seen);
    let error = builder().bind::<dyn DynNotification, Trace>().bind::<dyn DynNotification, Trace>().build();
    assert!(matches!(error.unwrap_err().problems(), [BuildProblem::DuplicateHandler { .. }]));
}

#[test]
fn what_handles_an_event_does_not_observe_it_as_well() {
    struct Both;

    impl EventHandler<Placed> for Both {
        async fn handle(&self, _event: &Placed) {}
    }

    impl EventHandler<dyn DynNotification> for Both {
        async fn handle(&self, _event: &dyn DynNotification) {}
    }

    let builder = Mediator::builder().without_discovery().bind_handler::<Placed, _>(Both);
    let error = builder.bind_handler::<dyn DynNotification, _>(Both).build().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("is already registered for `") && text.contains("Placed` at "), "{text}");
}
