//! Services and a real server.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::stream::{self, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, consumer};
use futures_util::future::join_all;
use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use mediator_nats::{Consumer, NatsBridge, NatsBridgeBuilder, NatsError, Stats};
use mediator_outbox::{ExternalBus, ExternalEvent, InMemoryOutbox, State, Worker};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

mod support;

use support::{Server, until};

#[event(name = "orders.placed", external, key = order_id)]
#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event(name = "invoices.written", external, version = 2, upcast = [with_total])]
#[derive(Debug, Serialize, Deserialize)]
struct InvoiceWritten {
    order_id: String,
    total: u32,
}

fn with_total(mut invoice: serde_json::Value) -> Result<serde_json::Value, std::convert::Infallible> {
    invoice["total"] = 0.into();
    Ok(invoice)
}

/// What handlers have done.
#[derive(Clone)]
struct Journal(watch::Sender<Vec<String>>);

impl Journal {
    fn note(&self, line: String) {
        self.0.send_modify(|lines| lines.push(line));
    }

    /// Waits until there are so many lines.
    async fn lines(&self, count: usize) -> Vec<String> {
        let mut lines = self.0.subscribe();
        let lines = tokio::time::timeout(support::PATIENCE, lines.wait_for(|lines| lines.len() >= count)).await;
        lines.unwrap_or_else(|_| panic!("only {:?}", *self.0.borrow())).expect("a sender").clone()
    }
}

#[event_handler(durable, manual, name = "billing.invoice")]
async fn invoice(event: &OrderPlaced, journal: Journal, publisher: &Publisher) -> Result<(), PublishError> {
    journal.note(format!("invoiced {}", event.order_id));
    publisher.publish(InvoiceWritten::new(event.order_id.clone(), 7)).await
}

#[event_handler(durable, manual, name = "billing.note")]
async fn invoice_quietly(event: &OrderPlaced, journal: Journal) {
    journal.note(format!("invoiced {}", event.order_id));
}

#[event_handler(durable, manual, name = "orders.close")]
async fn close(event: &InvoiceWritten, journal: Journal) {
    journal.note(format!("closed {} for {}", event.order_id, event.total));
}

#[event_handler(manual)]
async fn look(_event: &OrderPlaced) {}

#[event_handler(manual)]
async fn observe(_event: &dyn DynNotification) {}

/// A stream of the test's own, which services share.
struct Events {
    url: String,
    name: String,
}

impl Events {
    fn on(url: String) -> Self {
        Self { url, name: format!("test-{}", EventId::new()) }
    }

    async fn on_any_server(test: &str) -> Option<Self> {
        Some(Self::on(support::server(test).await?))
    }

    fn builder(&self, service: &str) -> NatsBridgeBuilder {
        NatsBridge::builder(service).stream(&self.name).subject_prefix(&self.name)
    }

    async fn service(&self, name: &str, handlers: impl FnOnce(MediatorBuilder) -> MediatorBuilder) -> Service {
        let nats = self.builder(name).connect(&self.url).await.unwrap();
        let (outbox, journal) = (InMemoryOutbox::new(), Journal(watch::Sender::default()));
        let builder = Mediator::builder().outbox(outbox.clone()).external(nats.clone()).provide(journal.clone());
        let mediator = handlers(builder).build().unwrap();
        Service { nats, outbox, mediator, journal }
    }

    async fn context(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(&self.url).await.unwrap())
    }

    async fn messages(&self) -> u64 {
        self.context().await.get_stream(&self.name).await.unwrap().cached_info().state.messages
    }

    /// A message as another client would publish it.
    async fn publish(&self, headers: &[(&str, &str)], payload: &str) {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(header, value)| map.insert(*header, *value));
        let subject = format!("{}.foreign", self.name);
        let context = self.context().await;
        context.publish_with_headers(subject, map, payload.to_owned().into()).await.unwrap().await.unwrap();
    }

    async fn delete(&self) {
        self.context().await.delete_stream(&self.name).await.unwrap();
    }
}

struct Service {
    nats: NatsBridge,
    outbox: InMemoryOutbox,
    mediator: Mediator,
    journal: Journal,
}

impl Service {
    fn work(&self) -> Worker {
        self.outbox.worker(&self.mediator).retry_base(Duration::from_millis(20)).start()
    }

    async fn consume(&self) -> Consumer {
        self.nats.consumer(&self.mediator, &self.outbox).start().await.unwrap()
    }

    async fn place(&self, order: &str) {
        self.mediator.publish(OrderPlaced::new(order.to_owned())).await.unwrap();
    }
}

fn counts(stats: Stats) -> [(&'static str, u64); 6] {
    let Stats { recorded, newer, repeated, own, unhandled, malformed, .. } = stats;
    [
        ("recorded", recorded),
        ("newer", newer),
        ("repeated", repeated),
        ("own", own),
        ("unhandled", unhandled),
        ("malformed", malformed),
    ]
}

async fn received(consumer: &Consumer, count: u64) {
    until("the messages are received", async || {
        counts(consumer.stats()).iter().map(|(_, count)| count).sum::<u64>() >= count
    })
    .await;
}

#[tokio::test]
async fn two_services_handle_each_others_events() {
    let Some(events) = Events::on_any_server("two_services_handle_each_others_events").await else { return };
    let shop = events.service("shop", |builder| builder.bind_fn(close)).await;
    let billing = events.service("billing", |builder| builder.bind_fn(invoice)).await;
    let workers = [shop.work(), billing.work()];
    let (shop_consumer, billing_consumer) = (shop.consume().await, billing.consume().await);
    for number in 0..10 {
        shop.place(&number.to_string()).await;
    }
    let closed: BTreeSet<_> = shop.journal.lines(10).await.into_iter().collect();
    assert_eq!(closed, (0..10).map(|number| format!("closed {number} for 7")).collect());
    received(&shop_consumer, 20).await;
    received(&billing_consumer, 20).await;
    for consumer in [&shop_consumer, &billing_consumer] {
        assert_eq!((consumer.stats().recorded, consumer.stats().own), (10, 10), "nothing goes round in circles");
        assert_eq!(consumer.last_error(), None);
    }
    assert_eq!(events.messages().await, 20);
    for consumer in [shop_consumer, billing_consumer] {
        consumer.shutdown(Duration::from_secs(5)).await;
    }
    for worker in workers {
        worker.shutdown(Duration::from_secs(5)).await;
    }
    events.delete().await;
}

#[tokio::test]
async fn an_event_that_is_published_twice_is_there_once() {
    let Some(events) = Events::on_any_server("an_event_that_is_published_twice_is_there_once").await else { return };
    let nats = events.builder("shop").connect(&events.url).await.unwrap();
    let event = ExternalEvent::new(EventId::new(), "orders.placed", r#"{"order_id":"1"}"#);
    nats.publish(&event).await.unwrap();
    nats.publish(&event).await.unwrap();
    assert_eq!(events.messages().await, 1);
    events.delete().await;
}

#[tokio::test]
async fn other_clients_see_cloud_events() {
    let Some(events) = Events::on_any_server("other_clients_see_cloud_events").await else { return };
    let shop = events.service("shop", |builder| builder).await;
    let placed = OrderPlaced::new("größe 1".to_owned());
    let id = placed.event_id.to_string();
    shop.mediator.publish(placed).await.unwrap();
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let stream = events.context().await.get_stream(&events.name).await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    assert_eq!(message.subject.as_str(), format!("{}.orders.placed", events.name));
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    for (name, value) in [
        ("Nats-Msg-Id", &*id),
        ("ce-specversion", "1.0"),
        ("ce-id", &id),
        ("ce-source", "shop"),
        ("ce-type", "orders.placed"),
        ("ce-datacontenttype", "application/json"),
        ("ce-eventversion", "1"),
        ("ce-partitionkey", "gr%C3%B6%C3%9Fe%201"),
    ] {
        assert_eq!(header(name).as_deref(), Some(value), "{name}");
    }
    assert!(header("ce-time").is_some());
    let json: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(json["order_id"], "größe 1");
    events.delete().await;
}

/// The required attributes of an invoice from another client.
fn foreign(id: &str) -> Vec<(&'static str, &str)> {
    vec![("ce-specversion", "1.0"), ("ce-source", "erp"), ("ce-type", "invoices.written"), ("ce-id", id)]
}

#[tokio::test]
async fn nothing_that_arrives_stops_the_consumer() {
    let Some(events) = Events::on_any_server("nothing_that_arrives_stops_the_consumer").await else { return };
    let shop = events.service("shop", |builder| builder.bind_fn(close)).await;
    let payload = r#"{"event_id":"0195c5a2-0000-7000-8000-000000000001","order_id":"1","total":3}"#;
    let ids: Vec<_> = (0..6).map(|_| EventId::new().to_string()).collect();
    events.publish(&[], "garbage").await;
    events.publish(&foreign("no uuid"), payload).await;
    events.publish(&[foreign(&ids[0]), vec![("ce-datacontenttype", "text/xml")]].concat(), "<a/>").await;
    events.publish(&[foreign(&ids[1]), vec![("ce-type", "ships.sunk")]].concat(), "{}").await;
    events.publish(&[foreign(&ids[2]), vec![("ce-eventversion", "3")]].concat(), payload).await;
    events.publish(&[foreign(&ids[3]), vec![("ce-eventversion", "2")]].concat(), r#"{"unlike":"it"}"#).await;
    // Twice, as after an acknowledgement that was lost; of version 1, and of another client that says no version.
    events.publish(&foreign(&ids[4]), r#"{"event_id":"0195c5a2-0000-7000-8000-000000000001","order_id":"old"}"#).await;
    events.publish(&foreign(&ids[4]), r#"{"event_id":"0195c5a2-0000-7000-8000-000000000001","order_id":"old"}"#).await;
    events.publish(&[foreign(&ids[5]), vec![("ce-eventversion", "2")]].concat(), payload).await;
    let consumer = shop.consume().await;
    received(&consumer, 9).await;
    assert_eq!(
        counts(consumer.stats()),
        [("recorded", 3), ("newer", 1), ("repeated", 1), ("own", 0), ("unhandled", 1), ("malformed", 3)]
    );
    let malformed: Vec<_> = consumer.malformed().into_iter().map(|it| (it.sequence, it.reason)).collect();
    let reasons = [
        (1, "it has no headers; it is no CloudEvent in binary mode".to_owned()),
        (2, "`ce-id` is `no uuid`, which is no UUID".to_owned()),
        (3, "its data is `text/xml`, but must be `application/json`".to_owned()),
    ];
    assert_eq!(malformed, reasons);
    assert_eq!(events.messages().await, 9, "all of them stay in the stream until they are too old");
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    assert_eq!(shop.journal.lines(2).await, ["closed old for 0", "closed 1 for 3"]);
    let dead = shop.outbox.deliveries().in_state(State::Dead).list().await.unwrap();
    assert_eq!(dead.len(), 1, "what is no invoice, though it says so, is a dead letter");
    assert_eq!(shop.outbox.stats().await.unwrap().unknown(), 1, "the newer one waits for a newer program");
    consumer.shutdown(Duration::from_secs(5)).await;
    events.delete().await;
}

#[tokio::test]
async fn a_stream_that_could_lose_events_is_refused_and_left_alone() {
    let Some(events) = Events::on_any_server("a_stream_that_could_lose_events_is_refused_and_left_alone").await else {
        return;
    };
    let context = events.context().await;
    let config = stream::Config {
        name: events.name.clone(),
        subjects: vec![format!("{}.orders", events.name)],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::Memory,
        duplicate_window: Duration::from_secs(1),
        ..stream::Config::default()
    };
    let before = context.create_stream(config).await.unwrap().cached_info().config.clone();
    let error = events.builder("shop").connect(&events.url).await.unwrap_err();
    let NatsError::Mismatch { of: "stream", differences, .. } = &error else { panic!("{error}") };
    let settings: Vec<_> = differences.iter().map(|it| it.setting).collect();
    assert_eq!(settings, ["retention", "storage", "subjects", "duplicate window"]);
    let text = error.to_string();
    assert!(text.contains("retention is WorkQueue, but must be Limits"), "{text}");
    assert!(text.contains("duplicate window is 1s, but must be 120s or longer"), "{text}");
    let after = context.get_stream(&events.name).await.unwrap().cached_info().config.clone();
    assert_eq!(before, after);
    events.delete().await;
}

#[tokio::test]
async fn a_stream_with_other_limits_and_more_subjects_will_do() {
    let Some(events) = Events::on_any_server("a_stream_with_other_limits_and_more_subjects_will_do").await else {
        return;
    };
    let config = stream::Config {
        name: events.name.clone(),
        subjects: vec![format!("{}.>", events.name), format!("{}-more", events.name)],
        max_messages: 1000,
        duplicate_window: Duration::from_secs(600),
        ..stream::Config::default()
    };
    events.context().await.create_stream(config).await.unwrap();
    let nats = events.builder("shop").connect(&events.url).await.unwrap();
    nats.publish(&ExternalEvent::new(EventId::new(), "orders.placed", "{}")).await.unwrap();
    assert_eq!(events.messages().await, 1);
    events.delete().await;
}

#[tokio::test]
async fn a_consumer_that_could_lose_events_is_refused_and_left_alone() {
    let Some(events) = Events::on_any_server("a_consumer_that_could_lose_events_is_refused_and_left_alone").await
    else {
        return;
    };
    let shop = events.service("shop", |builder| builder.bind_fn(close)).await;
    let stream = events.context().await.get_stream(&events.name).await.unwrap();
    let config = consumer::pull::Config {
        durable_name: Some("shop".to_owned()),
        ack_policy: consumer::AckPolicy::None,
        ..consumer::pull::Config::default()
    };
    stream.create_consumer(config).await.unwrap();
    let error = shop.nats.consumer(&shop.mediator, &shop.outbox).start().await.unwrap_err();
    let NatsError::Mismatch { of: "consumer", differences, .. } = &error else { panic!("{error}") };
    assert_eq!(differences[0].to_string(), "ack policy is None, but must be Explicit");
    events.delete().await;
}

#[tokio::test]
async fn ordinary_handlers_of_what_is_consumed_are_an_error_unless_they_are_ignored() {
    let Some(events) =
        Events::on_any_server("ordinary_handlers_of_what_is_consumed_are_an_error_unless_they_are_ignored").await
    else {
        return;
    };
    let shop = events.service("shop", |builder| builder.bind_fn(close).bind_fn(look).bind_fn(observe)).await;
    let consumer = || shop.nats.consumer(&shop.mediator, &shop.outbox);
    let error = consumer().start().await.unwrap_err();
    let NatsError::OrdinaryHandlers { handlers, .. } = &error else { panic!("{error}") };
    assert_eq!(handlers.len(), 1, "observers do not count: {handlers:?}");
    assert!(handlers[0].contains("::look`") && handlers[0].ends_with(" of `orders.placed`"), "{handlers:?}");
    for started in
        [consumer().ignore_ordinary_handlers().start().await, consumer().only::<InvoiceWritten>().start().await]
    {
        started.unwrap().shutdown(Duration::from_secs(5)).await;
    }
    assert!(consumer().only::<OrderPlaced>().start().await.is_err());
    events.delete().await;
}

#[tokio::test]
async fn only_what_is_named_is_consumed() {
    let Some(events) = Events::on_any_server("only_what_is_named_is_consumed").await else { return };
    let shop = events.service("shop", |builder| builder).await;
    let billing = events.service("billing", |builder| builder.bind_fn(invoice_quietly).bind_fn(close)).await;
    shop.place("1").await;
    shop.mediator.publish(InvoiceWritten::new("1".to_owned(), 5)).await.unwrap();
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let consumer =
        billing.nats.consumer(&billing.mediator, &billing.outbox).only::<OrderPlaced>().start().await.unwrap();
    received(&consumer, 2).await;
    assert_eq!((consumer.stats().recorded, consumer.stats().unhandled), (1, 1));
    consumer.shutdown(Duration::from_secs(5)).await;
    events.delete().await;
}

#[tokio::test]
async fn a_consumer_keeps_the_mediator_also_through_a_weak_handle() {
    let Some(events) = Events::on_any_server("a_consumer_keeps_the_mediator_also_through_a_weak_handle").await else {
        return;
    };

    #[event_handler(durable, manual, name = "gives_away")]
    async fn gives_away(_event: &OrderPlaced, mediator: Mediator, given: watch::Sender<Option<Mediator>>) {
        given.send_replace(Some(mediator));
    }

    let shop = events.service("shop", |builder| builder).await;
    let given = watch::Sender::new(None::<Mediator>);
    let billing = events.service("billing", |builder| builder.bind_fn(gives_away).provide(given.clone())).await;
    billing.place("1").await;
    billing.outbox.worker(&billing.mediator).drain().await.unwrap();
    let weak = given.borrow().clone().unwrap();
    assert!(weak.is_weak());

    let Service { nats, outbox, mediator, .. } = billing;
    let consumer = nats.consumer(&weak, &outbox).start().await.unwrap();
    drop(mediator);
    shop.place("2").await;
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    received(&consumer, 2).await;
    assert_eq!((consumer.stats().own, consumer.stats().recorded), (1, 1));
    consumer.shutdown(Duration::from_secs(5)).await;
    assert!(weak.upgrade().is_none(), "nobody else has kept it");
    events.delete().await;
}

#[tokio::test]
async fn three_nodes_of_a_service_share_the_work() {
    const EVENTS: usize = 1_000;
    let Some(events) = Events::on_any_server("three_nodes_of_a_service_share_the_work").await else { return };
    let shop = events.service("shop", |builder| builder).await;
    // One database, three nodes.
    let first = events.service("billing", |builder| builder.bind_fn(invoice_quietly)).await;
    let mut consumers = Vec::new();
    for _ in 0..3 {
        let nats = events.builder("billing").connect(&events.url).await.unwrap();
        consumers.push(nats.consumer(&first.mediator, &first.outbox).start().await.unwrap());
    }
    let workers = [shop.work(), first.work()];
    for number in 0..EVENTS {
        shop.place(&number.to_string()).await;
    }
    let handled = first.journal.lines(EVENTS).await;
    assert_eq!(handled.iter().collect::<BTreeSet<_>>().len(), EVENTS, "each once");
    let shares: Vec<_> = consumers.iter().map(|consumer| consumer.stats().recorded).collect();
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    join_all(consumers.into_iter().map(|consumer| consumer.shutdown(Duration::from_secs(5)))).await;
    for worker in workers {
        worker.shutdown(Duration::from_secs(5)).await;
    }
    events.delete().await;
}

#[tokio::test]
async fn a_server_that_crashes_is_waited_for() {
    let Some(mut server) = Server::start("a_server_that_crashes_is_waited_for").await else { return };
    let events = Events::on(server.url());
    let shop = events.service("shop", |builder| builder).await;
    let billing = events.service("billing", |builder| builder.bind_fn(invoice_quietly)).await;
    let workers = [shop.work(), billing.work()];
    let consumer = billing.consume().await;
    shop.place("1").await;
    billing.journal.lines(1).await;
    server.kill().await;
    shop.place("2").await;
    let seen = AtomicUsize::new(0);
    until("it was tried in vain", async || {
        let listed = shop.outbox.deliveries().list().await.unwrap();
        seen.fetch_max(listed.iter().map(|it| it.attempts as usize).max().unwrap_or(0), Ordering::Relaxed) > 1
    })
    .await;
    server.restart().await;
    assert_eq!(billing.journal.lines(2).await, ["invoiced 1", "invoiced 2"]);
    assert_eq!(shop.outbox.stats().await.unwrap().dead(), 0);
    consumer.shutdown(Duration::from_secs(5)).await;
    for worker in workers {
        worker.shutdown(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_stream_and_a_consumer_that_are_deleted_are_made_again() {
    let Some(events) = Events::on_any_server("a_stream_and_a_consumer_that_are_deleted_are_made_again").await else {
        return;
    };
    let shop = events.service("shop", |builder| builder).await;
    let billing = events.service("billing", |builder| builder.bind_fn(invoice_quietly)).await;
    let workers = [shop.work(), billing.work()];
    let consumer = billing.consume().await;
    shop.place("1").await;
    billing.journal.lines(1).await;
    events.delete().await;
    shop.place("2").await;
    assert_eq!(billing.journal.lines(2).await, ["invoiced 1", "invoiced 2"]);
    consumer.shutdown(Duration::from_secs(5)).await;
    for worker in workers {
        worker.shutdown(Duration::from_secs(5)).await;
    }
    events.delete().await;
}

#[tokio::test]
async fn a_consumer_that_is_made_anew_records_what_was_not_recorded_and_nothing_else() {
    let Some(events) =
        Events::on_any_server("a_consumer_that_is_made_anew_records_what_was_not_recorded_and_nothing_else").await
    else {
        return;
    };
    let shop = events.service("shop", |builder| builder).await;
    shop.place("1").await;
    shop.mediator.publish(InvoiceWritten::new("1".to_owned(), 5)).await.unwrap();
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let old = events.service("billing", |builder| builder.bind_fn(close)).await;
    let consumer = old.consume().await;
    received(&consumer, 2).await;
    assert_eq!((consumer.stats().recorded, consumer.stats().unhandled), (1, 1));
    consumer.shutdown(Duration::from_secs(5)).await;
    old.outbox.worker(&old.mediator).drain().await.unwrap();
    let stream = events.context().await.get_stream(&events.name).await.unwrap();
    stream.delete_consumer("billing").await.unwrap();
    // The program of today handles the other event, too.
    let builder = Mediator::builder().outbox(old.outbox.clone()).external(old.nats.clone());
    let mediator = builder.provide(old.journal.clone()).bind_fn(close).bind_fn(invoice_quietly).build().unwrap();
    let consumer = old.nats.consumer(&mediator, &old.outbox).start().await.unwrap();
    received(&consumer, 2).await;
    assert_eq!((consumer.stats().recorded, consumer.stats().repeated), (1, 1));
    old.outbox.worker(&mediator).drain().await.unwrap();
    assert_eq!(old.journal.lines(2).await, ["closed 1 for 5", "invoiced 1"]);
    consumer.shutdown(Duration::from_secs(5)).await;
    events.delete().await;
}

#[tokio::test]
async fn an_event_that_is_too_large_for_the_server_is_a_dead_letter() {
    let Some(events) = Events::on_any_server("an_event_that_is_too_large_for_the_server_is_a_dead_letter").await else {
        return;
    };
    let shop = events.service("shop", |builder| builder).await;
    shop.mediator.publish(InvoiceWritten::new("x".repeat(2_000_000), 1)).await.unwrap();
    shop.place("1").await;
    let done = shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    assert_eq!((done.done, done.dead), (1, 1));
    let dead = shop.outbox.deliveries().list().await.unwrap();
    assert!(dead[0].last_error.as_deref().unwrap().contains("max payload"), "{:?}", dead[0].last_error);
    events.delete().await;
}

#[tokio::test]
async fn what_a_node_has_not_recorded_when_it_stops_goes_to_another_at_once() {
    const EVENTS: usize = 1_000;
    let Some(events) =
        Events::on_any_server("what_a_node_has_not_recorded_when_it_stops_goes_to_another_at_once").await
    else {
        return;
    };
    let shop = events.service("shop", |builder| builder).await;
    // So that a message that is lost track of would be missed.
    let hour = Duration::from_secs(3600);
    let billing = events.service("billing", |builder| builder.bind_fn(invoice_quietly)).await;
    for number in 0..EVENTS {
        shop.place(&number.to_string()).await;
    }
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let start =
        async || billing.nats.consumer(&billing.mediator, &billing.outbox).ack_wait(hour).start().await.unwrap();
    let first = start().await;
    received(&first, 1).await;
    first.shutdown(Duration::from_secs(5)).await;
    let second = start().await;
    until("all are recorded", async || billing.outbox.stats().await.unwrap().ready() == EVENTS as u64).await;
    second.shutdown(Duration::from_secs(5)).await;
    events.delete().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_and_names_that_cannot_be_are_said() {
    let error = NatsBridge::connect("nats://ann:secret@127.0.0.1:1", "shop").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to NATS at nats://127.0.0.1:1");
    assert!(std::error::Error::source(&error).is_some());
    let error = NatsBridge::connect("nats://127.0.0.1:1", "the shop").await.unwrap_err();
    assert_eq!(error.to_string(), "`the shop` cannot be the name of a service; use letters, digits, `-` and `_`");
    let error = NatsBridge::builder("shop").subject_prefix("a..b").connect("nats://127.0.0.1:1").await.unwrap_err();
    assert!(error.to_string().contains("`a..b` cannot be the name of a prefix"), "{error}");
}
