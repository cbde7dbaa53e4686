//! Events between services.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use mediator_core::durable::{DeliveryInfo, Permanent};
use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, assert_published};
use mediator_core::{BuildProblem, MediatorBuilder};
use mediator_outbox::store::Store;
use mediator_outbox::{
    Clock, ExternalBus, ExternalEvent, InMemoryOutbox, InProcessBus, Outbox, PostgresOutbox, Received, SqliteOutbox,
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

#[path = "support/ran.rs"]
mod ran;
mod support;

use ran::ran;
use support::Schema;

#[event(name = "orders.placed", external, key = order_id)]
#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event(name = "invoices.written", external, alias = ["bills.written"])]
#[derive(Debug, Serialize, Deserialize)]
struct InvoiceWritten {
    order_id: String,
}

/// Stays in its service.
#[event(name = "stock.reserved")]
#[derive(Debug, Serialize, Deserialize)]
struct StockReserved {
    order_id: String,
}

/// What a handler was told.
#[event]
struct Noted {
    text: String,
}

#[event_handler(durable, manual, name = "stock.reserve")]
async fn reserve(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(StockReserved::new(event.order_id.clone())).await
}

#[event_handler(durable, manual, name = "orders.close")]
async fn close(_event: &InvoiceWritten) {}

#[event_handler(durable, manual, name = "billing.invoice")]
async fn invoice(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(Noted::new(format!("part of {}", publisher.correlation_id().unwrap()))).await?;
    publisher.publish(InvoiceWritten::new(event.order_id.clone())).await
}

#[event_handler(durable, manual, name = "billing.once")]
async fn once(event: &OrderPlaced, tx: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO invoice VALUES (?1)").bind(&event.order_id).execute(tx).await.map(|_| ())
}

#[event_handler(durable, manual, name = "broken")]
async fn called_like_a_bus(_event: &OrderPlaced) {}

#[event_handler(manual, name = "ordinary")]
async fn ordinary(_event: &OrderPlaced) {}

fn order(id: &str) -> OrderPlaced {
    OrderPlaced::new(id.to_owned())
}

/// A service with an outbox in memory.
struct Service {
    bus: InProcessBus,
    outbox: InMemoryOutbox,
    mediator: Mediator,
    recorder: Recorder,
}

impl Service {
    fn new(bus: InProcessBus, handlers: impl FnOnce(MediatorBuilder) -> MediatorBuilder) -> Self {
        let (outbox, recorder) = (InMemoryOutbox::new(), Recorder::new());
        let builder = Mediator::builder().outbox(outbox.clone()).external(bus.clone()).recorder(&recorder);
        let mediator = handlers(builder).build().unwrap();
        Self { bus, outbox, mediator, recorder }
    }

    async fn work(&self) -> u64 {
        self.outbox.worker(&self.mediator).drain().await.unwrap().done
    }

    async fn receive(&self) -> Vec<Received> {
        self.bus.receive(&self.mediator, &self.outbox).await.unwrap()
    }
}

#[tokio::test]
async fn services_handle_each_others_events_and_their_own() {
    let bus = InProcessBus::new("shop");
    let billing = Service::new(bus.service("billing"), |builder| builder.bind_fn(invoice));
    let shop = Service::new(bus, |builder| builder.bind_fn(reserve).bind_fn(close).bind_fn(ordinary));
    let placed = order("o-1");
    let id = placed.event_id;
    shop.mediator.publish(placed).await.unwrap();
    assert_eq!(shop.work().await, 2, "reserved, and on the bus");
    assert_eq!(billing.receive().await, [Received::Recorded]);
    assert_eq!(billing.work().await, 2, "invoiced, and the invoice is on the bus");
    assert_eq!(shop.receive().await, [Received::Recorded]);
    assert_eq!(shop.work().await, 1, "closed");
    assert_eq!((shop.receive().await, billing.receive().await), (vec![], vec![]), "nothing goes round in circles");
    assert_eq!(ran(&shop.recorder), ["ordinary", "stock.reserve", "orders.close"]);
    assert_eq!(ran(&billing.recorder), ["billing.invoice"]);
    // What belongs together is known across services.
    assert_published!(billing.recorder, Noted { text, .. } if *text == format!("part of {id}"));
}

#[tokio::test]
async fn an_event_that_arrives_twice_is_handled_once() {
    let billing = Service::new(InProcessBus::new("billing"), |builder| builder.bind_fn(invoice));
    let event = ExternalEvent::new(EventId::new(), "orders.placed", placed_json("o-1"));
    let received = billing.outbox.receive(&billing.mediator, &[event.clone(), event.clone()]).await.unwrap();
    assert_eq!(received, [Received::Recorded, Received::Already]);
    billing.work().await;
    let again = billing.outbox.receive(&billing.mediator, &[event]).await.unwrap();
    assert_eq!(again, [Received::Already], "also when it was handled meanwhile");
    assert_eq!(billing.work().await, 0);
    assert_eq!(ran(&billing.recorder), ["billing.invoice"]);
}

fn placed_json(id: &str) -> String {
    serde_json::to_string(&order(id)).unwrap()
}

#[tokio::test]
async fn what_cannot_be_handled_is_told_apart() {
    let service = Service::new(InProcessBus::new("shop"), |builder| builder.bind_fn(close).bind_fn(ordinary));
    let event = |name: &str, payload: &str| ExternalEvent::new(EventId::new(), name, payload);
    let invoice = serde_json::to_string(&InvoiceWritten::new("o-1".into())).unwrap();
    let mut newer = event("invoices.written", &invoice);
    newer.version = 2;
    let mut long = event("invoices.written", &invoice);
    long.key = Some("k".repeat(2000));
    let events = [
        event("bills.written", &invoice),
        newer,
        event("invoices.written", "{}"),
        event("invoices.written", "{"),
        event("invoices.written", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        long,
        event("orders.placed", &placed_json("o-1")),
        event("ships.sunk", "{}"),
    ];
    let received = service.outbox.receive(&service.mediator, &events).await.unwrap();
    let [by_alias, newer, undecodable, no_json, deep, long_key, ordinary_only, unknown] = &*received else {
        panic!("{received:?}")
    };
    assert_eq!([by_alias, undecodable], [&Received::Recorded; 2]);
    assert_eq!(newer, &Received::Newer);
    assert!(matches!(no_json, Received::Malformed(why) if why.contains("not JSON")), "{no_json:?}");
    assert!(matches!(deep, Received::Malformed(why) if why.contains("nested")), "{deep:?}");
    assert!(matches!(long_key, Received::Malformed(why) if why.contains("the key")), "{long_key:?}");
    assert_eq!([ordinary_only, unknown], [&Received::Unhandled; 2]);
    let done = service.outbox.worker(&service.mediator).drain().await.unwrap();
    assert_eq!((done.done, done.dead), (1, 1), "what cannot be decoded is a dead letter");
    let stats = service.outbox.stats().await.unwrap();
    assert_eq!((stats.unknown(), stats.dead()), (1, 1), "the newer one waits for a newer program");
    assert_eq!(ran(&service.recorder), ["orders.close"]);
}

/// A broker that is down for so many attempts.
#[derive(Clone, Default)]
struct Broken {
    failures: Arc<AtomicU32>,
    /// Whether it never wants to see the event again.
    refuses: bool,
    published: Arc<Mutex<Vec<ExternalEvent>>>,
}

impl ExternalBus for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn publish(&self, event: &ExternalEvent) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.refuses {
            return Err(Permanent("too large").into());
        }
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err("connection refused".into());
        }
        self.published.lock().unwrap().push(event.clone());
        Ok(())
    }
}

#[tokio::test]
async fn a_broker_that_is_down_is_tried_until_it_is_back_and_nothing_is_dead() {
    let bus = Broken { failures: Arc::new(AtomicU32::new(50)), ..Broken::default() };
    let clock = Clock::fixed(SystemTime::now());
    let outbox = InMemoryOutbox::with_clock(clock.clone());
    let mediator =
        Mediator::builder().without_discovery().external(bus.clone()).outbox(outbox.clone()).build().unwrap();
    let placed = order("o-1");
    let id = placed.event_id;
    mediator.publish(placed).await.unwrap();
    let mut retried = 0;
    while bus.published.lock().unwrap().is_empty() {
        let done = outbox.worker(&mediator).retry_attempts(3).drain().await.unwrap();
        assert_eq!(done.dead, 0);
        retried += done.retried;
        // The longest pause.
        clock.advance(Duration::from_secs(30));
    }
    assert_eq!(retried, 50);
    let published = bus.published.lock().unwrap().clone();
    let [event] = &*published else { panic!("{published:?}") };
    assert_eq!(
        (event.event_id, &*event.name, event.version, event.key.as_deref()),
        (id, "orders.placed", 1, Some("o-1"))
    );
    assert_eq!(serde_json::from_str::<OrderPlaced>(&event.payload).unwrap().order_id, "o-1");
}

#[tokio::test]
async fn events_of_one_key_reach_the_broker_in_order_whatever_fails() {
    // Attempts with the first event, behind which the others wait.
    let bus = Broken { failures: Arc::new(AtomicU32::new(5)), ..Broken::default() };
    let clock = Clock::fixed(SystemTime::now());
    let outbox = InMemoryOutbox::with_clock(clock.clone());
    let mediator =
        Mediator::builder().without_discovery().outbox(outbox.clone()).external(bus.clone()).build().unwrap();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let event = order("o-1");
        ids.push(event.event_id);
        mediator.publish(event).await.unwrap();
    }
    while outbox.stats().await.unwrap().unfinished() > 0 {
        outbox.worker(&mediator).drain().await.unwrap();
        clock.advance(Duration::from_secs(30));
    }
    let published: Vec<_> = bus.published.lock().unwrap().iter().map(|event| event.event_id).collect();
    assert_eq!(published, ids);
}

#[tokio::test]
async fn an_event_that_the_broker_never_takes_is_a_dead_letter() {
    let bus = Broken { refuses: true, ..Broken::default() };
    let outbox = InMemoryOutbox::new();
    let mediator = Mediator::builder().without_discovery().outbox(outbox.clone()).external(bus).build().unwrap();
    mediator.publish(order("o-1")).await.unwrap();
    assert_eq!(outbox.stats().await.unwrap().unknown(), 0, "the bus is known");
    outbox.worker(&mediator).drain().await.unwrap();
    let dead = outbox.deliveries().list().await.unwrap();
    let [dead] = &*dead else { panic!("{dead:?}") };
    assert_eq!((&*dead.handler, &*dead.event_name), ("broken", "orders.placed"));
    assert!(dead.last_error.as_deref().unwrap().contains("too large"), "{dead:?}");
}

#[tokio::test]
async fn a_started_worker_takes_events_to_the_bus_and_is_shut_down() {
    let bus = Broken::default();
    let outbox = InMemoryOutbox::new();
    let mediator =
        Mediator::builder().without_discovery().outbox(outbox.clone()).external(bus.clone()).build().unwrap();
    let worker = outbox.worker(&mediator).concurrency(1).start();
    for number in 0..300 {
        mediator.publish(order(&number.to_string())).await.unwrap();
    }
    while outbox.stats().await.unwrap().unfinished() > 0 {
        tokio::task::yield_now().await;
    }
    worker.shutdown(Duration::from_secs(10)).await;
    assert_eq!(bus.published.lock().unwrap().len(), 300);
}

/// A service with an outbox in SQLite.
async fn sqlite() -> (SqliteOutbox, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(file.journal_mode(SqliteJournalMode::Wal)).await.unwrap();
    sqlx::query("CREATE TABLE invoice (order_id TEXT NOT NULL)").execute(&pool).await.unwrap();
    (SqliteOutbox::new(pool).await.unwrap(), folder)
}

#[tokio::test]
async fn what_is_rolled_back_never_leaves_and_what_is_received_is_handled_effectively_once() {
    let (shop_outbox, _shop_folder) = sqlite().await;
    let (billing_outbox, _billing_folder) = sqlite().await;
    let shop_bus = InProcessBus::new("shop");
    let billing_bus = shop_bus.service("billing");
    let shop = Mediator::builder().external(shop_bus).outbox(shop_outbox.clone()).build().unwrap();
    let billing = Mediator::builder().external(billing_bus.clone()).outbox(billing_outbox.clone());
    let billing = billing.bind_fn(once).build().unwrap();

    for (id, is_committed) in [("o-1", true), ("o-2", false), ("o-3", true)] {
        let mut tx = shop_outbox.begin().await.unwrap();
        shop.with(&mut *tx).publish(order(id)).await.unwrap();
        if is_committed { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
    }
    assert_eq!(shop_outbox.worker(&shop).drain().await.unwrap().done, 2);
    assert_eq!(billing_bus.receive(&billing, &billing_outbox).await.unwrap(), [Received::Recorded, Received::Recorded]);
    assert_eq!(billing_outbox.worker(&billing).drain().await.unwrap().done, 2);
    let mut connection = billing_outbox.begin().await.unwrap();
    let invoices: Vec<String> =
        sqlx::query_scalar("SELECT order_id FROM invoice ORDER BY 1").fetch_all(&mut *connection).await.unwrap();
    assert_eq!(invoices, ["o-1", "o-3"]);
}

#[tokio::test]
async fn a_scheduled_event_leaves_when_it_is_due() {
    let bus = Broken::default();
    let clock = Clock::fixed(SystemTime::now());
    let outbox = InMemoryOutbox::with_clock(clock.clone());
    let mediator =
        Mediator::builder().without_discovery().outbox(outbox.clone()).external(bus.clone()).build().unwrap();
    mediator.schedule(order("o-1"), Duration::from_secs(60)).await.unwrap();
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 0);
    clock.advance(Duration::from_secs(60));
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 1);
}

#[test]
fn every_external_event_needs_a_bus_unless_the_builder_is_told_so() {
    let error = Mediator::builder().build().unwrap_err();
    let names: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| match problem {
            BuildProblem::NoExternalBus { event, .. } => event.name(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(names, ["orders.placed", "invoices.written"]);
    assert!(error.to_string().contains("`.without_external()`"), "{error}");
    Mediator::builder().without_external().build().unwrap();
    Mediator::builder().without_discovery().build().unwrap();
    let recorder = Recorder::new();
    Mediator::builder().recorder(&recorder).durable_inline().build().unwrap();
}

#[test]
fn a_mistake_with_a_bus_is_an_error_of_build() {
    let bus = Broken::default;
    let error = Mediator::builder().external(bus()).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::BusWithoutOutbox { bus: "broken", .. }]), "{error}");
    let with_outbox = || Mediator::builder().outbox(InMemoryOutbox::new());
    let error = with_outbox().external(bus()).external(bus()).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::SecondExternalBus { .. }]), "{error}");
    let error = with_outbox().external(bus()).bind_fn(called_like_a_bus).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::NamedLikeBus { .. }]), "{error}");
}

#[tokio::test]
async fn the_topology_tells_which_events_leave() {
    let (_outbox, mediator) = {
        let outbox = InMemoryOutbox::new();
        (outbox.clone(), Mediator::builder().outbox(outbox).external(Broken::default()).build().unwrap())
    };
    let external = mediator.topology().events().iter().filter(|event| event.is_external());
    assert_eq!(external.map(|event| event.event().name()).collect::<Vec<_>>(), ["orders.placed", "invoices.written"]);
    let table = mediator.topology().to_string();
    assert!(table.contains("(external)"), "{table}");
}

/// Every outbox does the same.
#[tokio::test]
async fn many_events_are_received_in_one_transaction_or_not_at_all() {
    async fn check<S: Store>(outbox: Outbox<S>) {
        let builder = Mediator::builder().outbox(outbox.clone()).without_external();
        let mediator = builder.bind_fn(invoice).build().unwrap();
        let events: Vec<_> = (0..150)
            .map(|number| ExternalEvent::new(EventId::new(), "orders.placed", placed_json(&number.to_string())))
            .collect();
        let received = outbox.receive(&mediator, &events).await.unwrap();
        assert_eq!(received, vec![Received::Recorded; 150]);
        assert_eq!(outbox.stats().await.unwrap().ready(), 150);
        // Valid JSON, whatever a database thinks of it.
        for payload in [r#"{"a":"\u0000"}"#, r#"{"a":"\ud800"}"#, "1e999999", "\"\u{10ffff}\"", " [ ] "] {
            let event = ExternalEvent::new(EventId::new(), "orders.placed", payload);
            assert_eq!(outbox.receive(&mediator, &[event]).await.unwrap(), [Received::Recorded], "{payload}");
        }
    }
    check(InMemoryOutbox::new()).await;
    let (outbox, _folder) = sqlite().await;
    check(outbox).await;
    let schema = Schema::for_test("many_events_are_received_in_one_transaction_or_not_at_all, on PostgreSQL").await;
    if let Some(schema) = schema {
        check(PostgresOutbox::new(schema.pool()).await.unwrap()).await;
        schema.drop().await;
    }
}

#[event_handler(durable, manual, name = "told")]
async fn told(_event: &InvoiceWritten, delivery: &DeliveryInfo, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(Noted::new(delivery.idempotency_key().to_owned())).await
}

#[tokio::test]
async fn a_received_event_keeps_its_id_and_says_where_it_is_from() {
    let service = Service::new(InProcessBus::new("shop"), |builder| builder.bind_fn(told));
    let written = InvoiceWritten::new("o-1".into());
    let payload = serde_json::to_string(&written).unwrap();
    let mut event = ExternalEvent::new(written.event_id, "invoices.written", payload);
    event.source = Some("billing".into());
    service.outbox.receive(&service.mediator, &[event]).await.unwrap();
    let deliveries = service.outbox.deliveries().list().await.unwrap();
    assert_eq!(deliveries[0].headers.as_deref(), Some(r#"{"source":"billing"}"#));
    service.work().await;
    assert_published!(service.recorder, Noted { text, .. } if *text == format!("{}/told", written.event_id));
}
