//! Who keeps what alive.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, Inject, InjectError, Services};
use mediator_tests::{Gate, Log, On, Stepped, bind_scripted, error, gate, ok};

#[event]
struct OrderPlaced {
    order_id: u32,
}

#[event]
struct OrderShipped;

/// Holds every handle there is, and would keep the mediator alive if they did.
#[event_handler(OrderPlaced, OrderShipped)]
struct Entangled {
    mediator: Mediator,
    publisher: Publisher,
    log: Log,
    gate: Gate,
}

impl EventHandler<OrderPlaced> for Entangled {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), PublishError> {
        self.log.add(format!("order {} waits", event.order_id));
        self.gate.clone().await.unwrap();
        self.mediator.publish(OrderShipped::new()).await?;
        self.publisher.publish(OrderShipped::new()).await
    }
}

impl EventHandler<OrderShipped> for Entangled {
    async fn handle(&self, _event: &OrderShipped) {
        self.log.add("shipped");
    }
}

impl Drop for Entangled {
    fn drop(&mut self) {
        self.log.add("the handler is dropped");
    }
}

fn entangled(log: &Log, gate: Gate) -> Mediator {
    Mediator::builder().provide(log.clone()).provide(gate).build().unwrap()
}

#[test]
fn handlers_are_dropped_with_the_last_handle_though_they_hold_handles_themselves() {
    let log = Log::default();
    let (open, gate) = gate();
    open.send(()).unwrap();
    let mediator = entangled(&log, gate);
    block_on(mediator.publish(OrderPlaced::new(1))).unwrap();
    let (clone, publisher, downgraded) = (mediator.clone(), mediator.publisher(), mediator.publisher().downgrade());
    drop(mediator);
    drop(clone);
    assert_eq!(log.take(), ["order 1 waits", "shipped", "shipped"]);
    drop(publisher);
    assert_eq!(log.take(), ["the handler is dropped"]);
    drop(downgraded);
    assert!(log.take().is_empty());
}

#[test]
fn a_publisher_is_enough_to_publish() {
    let log = Log::default();
    let (open, gate) = gate();
    open.send(()).unwrap();
    let publisher = entangled(&log, gate).publisher();
    block_on(publisher.clone().publish(OrderPlaced::new(1))).unwrap();
    assert_eq!(log.take(), ["order 1 waits", "shipped", "shipped"]);
}

#[test]
fn injected_handles_and_what_they_hand_out_keep_nothing() {
    #[derive(Clone, Default)]
    struct Handles(Arc<Mutex<Vec<Publisher>>>);

    struct Generous;

    impl Inject for Generous {
        fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
            let (mediator, publisher): (Mediator, Publisher) = (services.get()?, services.get()?);
            let handles = [publisher.clone(), publisher.downgrade(), publisher, mediator.clone().publisher()];
            services.get::<Handles>()?.0.lock().unwrap().extend(handles);
            Ok(Self)
        }
    }

    impl EventHandler<OrderShipped> for Generous {
        async fn handle(&self, _event: &OrderShipped) {}
    }

    let handles = Handles::default();
    let builder = Mediator::builder().without_discovery().provide(handles.clone());
    let mediator = builder.bind::<OrderShipped, Generous>().build().unwrap();
    let handles = std::mem::take(&mut *handles.0.lock().unwrap());
    assert!(handles.iter().all(|publisher| block_on(publisher.publish(OrderShipped::new())).is_ok()));
    drop(mediator);
    assert_eq!(handles.len(), 4);
    assert!(handles.iter().all(|publisher| block_on(publisher.publish(OrderShipped::new())).is_err()));
}

#[test]
fn a_downgraded_publisher_without_a_mediator_gives_the_event_back() {
    let log = Log::default();
    let mediator = entangled(&log, gate().1);
    let publisher = mediator.publisher().downgrade();
    let not_polled_yet = publisher.publish(OrderPlaced::new(0));
    drop(mediator);
    log.take();

    let event = OrderPlaced::new(7);
    let id = event.event_id;
    let error = block_on(publisher.publish(event)).unwrap_err();
    assert_eq!((error.event_name(), error.event_id()), ("lifetimes::OrderPlaced", Some(id)));
    assert!(error.failures().is_empty() && error.cancelled().is_empty() && error.not_run().is_empty());
    assert_eq!(
        error.to_string(),
        format!(
            "publishing `lifetimes::OrderPlaced` ({id}) failed: the mediator was dropped, or is still being built; \
             keep it, or a strong handle of it, for as long as handlers publish; 1 event was not published"
        )
    );
    let [event] = &error.into_unpublished()[..] else { panic!("one event") };
    assert_eq!(event.downcast_ref::<OrderPlaced>().unwrap().order_id, 7);

    let error = block_on(not_polled_yet).unwrap_err();
    assert_eq!(error.unpublished().len(), 1);
    let error = block_on(publisher.publish_with(&GroupEventPublisher, OrderPlaced::new(8))).unwrap_err();
    assert_eq!(error.unpublished().len(), 1);
    let error = block_on(publisher.publish_all(vec![Box::new(OrderPlaced::new(9)), Box::new(OrderShipped::new())]))
        .unwrap_err();
    assert_eq!(error.event_name(), "lifetimes::OrderPlaced");
    let names: Vec<_> = error.unpublished().iter().map(|event| event.event_name()).collect();
    assert_eq!(names, ["lifetimes::OrderPlaced", "lifetimes::OrderShipped"]);
    assert!(log.take().is_empty());
}

#[test]
fn an_event_without_handlers_comes_back_as_well() {
    #[derive(Notification)]
    struct Unheard;

    let mediator = Mediator::builder().without_discovery().build().unwrap();
    let publisher = mediator.publisher().downgrade();
    block_on(publisher.publish(Unheard)).unwrap();
    drop(mediator);
    assert_eq!(block_on(publisher.publish(Unheard)).unwrap_err().unpublished().len(), 1);
}

#[test]
fn a_publish_that_is_under_way_keeps_the_handlers_until_it_is_done() {
    let log = Log::default();
    let (open, gate) = gate();
    let mediator = entangled(&log, gate);
    let publisher = mediator.publisher().downgrade();
    let mut publish = Stepped::new(publisher.publish(OrderPlaced::new(1)));
    assert!(publish.step().is_pending());
    drop(mediator);
    assert_eq!(log.take(), ["order 1 waits"]);
    open.send(()).unwrap();
    assert!(matches!(publish.step(), Poll::Ready(Ok(()))));
    assert_eq!(log.take(), ["shipped", "shipped", "the handler is dropped"]);
    assert!(block_on(publisher.publish(OrderShipped::new())).is_err());
}

#[test]
fn handlers_go_with_a_publish_that_is_cancelled_after_the_mediator_was_dropped() {
    let log = Log::default();
    let (_open, gate) = gate();
    let mediator = entangled(&log, gate);
    let publisher = mediator.publisher().downgrade();
    let mut publish = Stepped::new(publisher.publish(OrderPlaced::new(1)));
    assert!(publish.step().is_pending());
    drop(mediator);
    drop(publish);
    assert_eq!(log.take(), ["order 1 waits", "the handler is dropped"]);
}

#[test]
fn publish_all_gives_the_rest_back_when_the_mediator_goes_in_between() {
    let log = Log::default();
    let mediator = Arc::new(Mutex::new(None));
    let held = mediator.clone();
    let builder = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(On(move |_: &OrderPlaced| {
        held.lock().unwrap().take();
        async {}
    }));
    let built = bind_scripted::<OrderShipped>(builder, &log, &[ok(0)]).build().unwrap();
    let publisher = built.publisher().downgrade();
    *mediator.lock().unwrap() = Some(built);
    let events: Vec<Box<dyn DynNotification>> =
        vec![Box::new(OrderPlaced::new(1)), Box::new(OrderShipped::new()), Box::new(OrderPlaced::new(2))];
    let error = block_on(publisher.publish_all(events)).unwrap_err();
    assert_eq!(error.event_name(), "lifetimes::OrderShipped");
    assert!(error.failures().is_empty());
    let rest: Vec<_> = error.into_unpublished();
    assert!(rest[0].downcast_ref::<OrderShipped>().is_some());
    assert_eq!(rest[1].downcast_ref::<OrderPlaced>().unwrap().order_id, 2);
    assert!(log.take().is_empty());
}

#[test]
fn handlers_are_dropped_when_the_mediator_cannot_be_built() {
    struct Unbuildable;

    impl Inject for Unbuildable {
        fn inject(_services: &Services<'_>) -> Result<Self, InjectError> {
            Err(InjectError::new("never"))
        }
    }

    impl EventHandler<OrderPlaced> for Unbuildable {
        async fn handle(&self, _event: &OrderPlaced) {}
    }

    let log = Log::default();
    let builder = Mediator::builder().provide(log.clone()).provide(gate().1).bind::<OrderPlaced, Unbuildable>();
    let error = builder.build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::Handler { .. }]));
    assert_eq!(log.take(), ["the handler is dropped"]);
}

#[test]
fn a_handler_that_publishes_while_it_is_dropped_is_told_that_it_is_too_late() {
    struct Farewell {
        publisher: Arc<Mutex<Option<Publisher>>>,
        log: Log,
    }

    impl EventHandler<OrderShipped> for Farewell {
        async fn handle(&self, _event: &OrderShipped) {
            self.log.add("handled");
        }
    }

    impl Drop for Farewell {
        fn drop(&mut self) {
            let publisher = self.publisher.lock().unwrap().take().unwrap();
            let error = block_on(publisher.publish(OrderShipped::new())).unwrap_err();
            self.log.add(format!("{} event came back", error.unpublished().len()));
        }
    }

    let log = Log::default();
    let publisher = Arc::new(Mutex::new(None));
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler(Farewell { publisher: publisher.clone(), log: log.clone() })
        .build()
        .unwrap();
    *publisher.lock().unwrap() = Some(mediator.publisher().downgrade());
    drop(mediator);
    assert_eq!(log.take(), ["1 event came back"]);
}

#[test]
fn a_handlers_future_may_publish_while_it_is_dropped() {
    struct PublishOnDrop(Publisher);

    impl Drop for PublishOnDrop {
        fn drop(&mut self) {
            block_on(self.0.publish(OrderShipped::new())).unwrap();
        }
    }

    for group in [false, true] {
        let log = Log::default();
        let publisher = Arc::new(Mutex::new(None::<Publisher>));
        let held = publisher.clone();
        let builder =
            Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(On(move |_: &OrderPlaced| {
                let goodbye = PublishOnDrop(held.lock().unwrap().clone().unwrap());
                async move {
                    let _goodbye = goodbye;
                    std::future::pending::<()>().await;
                }
            }));
        let mediator = bind_scripted::<OrderShipped>(builder, &log, &[ok(0)]).build().unwrap();
        *publisher.lock().unwrap() = Some(mediator.publisher().downgrade());
        let mut publish = if group {
            Stepped::new(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(1)))
        } else {
            Stepped::new(mediator.publish(OrderPlaced::new(1)))
        };
        assert!(publish.step().is_pending());
        drop(publish);
        assert_eq!(log.take(), ["0 starts", "0 ends"]);
    }
}

#[test]
fn an_error_outlives_the_mediator() {
    let mediator =
        bind_scripted::<OrderPlaced>(Mediator::builder().without_discovery(), &Log::default(), &[error(0), ok(0)])
            .build()
            .unwrap();
    let error = block_on(mediator.publish(OrderPlaced::new(1))).unwrap_err();
    drop(mediator);
    assert!(format!("{error:#}").contains("error of 0"), "{error}");
}
