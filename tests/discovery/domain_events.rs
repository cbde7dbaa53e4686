//! Events of an aggregate: recorded first, published once the aggregate is saved.
#![allow(missing_docs, clippy::needless_pass_by_value)]

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_tests::Log;

#[event]
struct OrderPlaced {
    order_id: u32,
}

#[event]
struct LineAdded {
    article: &'static str,
}

#[derive(Notification)]
struct OrderPaid;

/// The aggregate: knows what happened to it and nobody who cares.
#[derive(Default)]
struct Order {
    order_id: u32,
    lines: Vec<&'static str>,
    events: PendingEvents,
}

impl Order {
    fn place(order_id: u32, lines: &[&'static str]) -> Self {
        let mut order = Self { order_id, ..Self::default() };
        order.events.record(OrderPlaced::new(order_id));
        for &article in lines {
            order.lines.push(article);
            order.events.record(LineAdded::new(article));
        }
        order
    }

    fn pay(&mut self) {
        self.events.record(OrderPaid);
    }

    fn collect_events(&mut self) -> Vec<Box<dyn DynNotification>> {
        self.events.drain()
    }
}

/// The service that saves aggregates and publishes what happened to them.
struct Orders {
    saved: Vec<u32>,
    publisher: Publisher,
}

impl Orders {
    async fn save(&mut self, order: &mut Order) -> Result<(), PublishError> {
        self.saved.push(order.order_id);
        self.publisher.publish_all(order.collect_events()).await
    }
}

#[event_handler]
fn order_placed(event: &OrderPlaced, log: Log) {
    log.add(format!("order {} placed", event.order_id));
}

#[event_handler]
async fn line_added(event: &LineAdded, log: Log) -> Result<(), String> {
    log.add(format!("{} added", event.article));
    if event.article == "poison" { Err(format!("no {} today", event.article)) } else { Ok(()) }
}

#[event_handler]
fn order_paid(_event: &OrderPaid, log: Log) {
    log.add("paid");
}

fn mediator(log: &Log) -> Mediator {
    Mediator::builder().provide(log.clone()).build().unwrap()
}

#[test]
fn events_of_an_aggregate_are_published_in_the_order_they_were_recorded() {
    let log = Log::default();
    let mediator = mediator(&log);
    let mut orders = Orders { saved: Vec::new(), publisher: mediator.publisher() };
    let mut order = Order::place(1, &["tea", "milk"]);
    order.pay();
    assert_eq!((order.events.len(), order.events.is_empty()), (4, false));
    assert!(log.entries().is_empty());

    block_on(orders.save(&mut order)).unwrap();
    assert_eq!(log.take(), ["order 1 placed", "tea added", "milk added", "paid"]);
    assert_eq!((order.events.len(), order.events.is_empty()), (0, true));

    // Published once: there is nothing left for the next time.
    block_on(orders.save(&mut order)).unwrap();
    assert!(log.take().is_empty());
    assert_eq!(orders.saved, [1, 1]);
}

#[test]
fn when_one_fails_the_events_behind_it_come_back_in_order() {
    let log = Log::default();
    let mediator = mediator(&log);
    let mut orders = Orders { saved: Vec::new(), publisher: mediator.publisher() };
    let mut order = Order::place(1, &["tea", "poison", "milk"]);
    order.pay();

    let error = block_on(orders.save(&mut order)).unwrap_err();
    assert_eq!(log.take(), ["order 1 placed", "tea added", "poison added"]);
    assert_eq!(error.event_name(), "domain_events::LineAdded");
    assert_eq!(error.failures()[0].error().unwrap().to_string(), "no poison today");
    assert!(error.to_string().ends_with("; 2 events were not published"), "{error}");

    let mut events = PendingEvents::new();
    events.extend(error.into_unpublished());
    let rest = events.drain();
    assert_eq!(rest[0].downcast_ref::<LineAdded>().unwrap().article, "milk");
    assert!(rest[1].downcast_ref::<OrderPaid>().is_some());
    block_on(mediator.publish_all(rest)).unwrap();
    assert_eq!(log.take(), ["milk added", "paid"]);
}

#[test]
fn when_the_last_one_fails_nothing_comes_back() {
    let log = Log::default();
    let mut order = Order::place(1, &["poison"]);
    let error = block_on(mediator(&log).publish_all(order.collect_events())).unwrap_err();
    assert!(error.unpublished().is_empty());
}

#[test]
fn recorded_events_show_what_they_are() {
    let mut events = PendingEvents::new();
    events.record(OrderPaid);
    events.record(OrderPlaced::new(1));
    let debug = format!("{events:?}");
    assert!(debug.contains("domain_events::OrderPaid, domain_events::OrderPlaced("), "{debug}");
    assert_eq!(events.drain().len(), 2);
}
