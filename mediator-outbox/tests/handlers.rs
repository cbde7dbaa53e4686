//! Durable handlers in SQLite: what is recorded, what is delivered.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mediator_core::durable::{DeliveryInfo, Permanent, RetryAfter};
use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, assert_published};
use mediator_core::{BuildProblem, PublishErrorKind};
use mediator_outbox::{Clock, InMemoryOutbox, SqliteOutbox, State};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Notify;

#[path = "support/ran.rs"]
mod ran;

use ran::ran;

#[event(name = "orders.placed", key = order_id)]
#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event(name = "invoices.written")]
#[derive(Debug, Serialize, Deserialize)]
struct InvoiceWritten {
    order_id: String,
}

#[event_handler(manual, name = "note")]
fn note(_event: &OrderPlaced) {}

#[event_handler(manual)]
fn fail(_event: &OrderPlaced) -> Result<(), &'static str> {
    Err("out of paper")
}

#[event_handler(durable, manual, name = "mail.confirm")]
async fn confirm(_event: &OrderPlaced) {}

#[event_handler(durable, manual, name = "billing.invoice")]
async fn invoice(event: &OrderPlaced, tx: &mut SqliteConnection, publisher: &Publisher) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO invoice VALUES (?1)").bind(&event.order_id).execute(&mut *tx).await?;
    publisher.with(&mut *tx).publish(InvoiceWritten::new(event.order_id.clone())).await?;
    Ok(())
}

#[event_handler(durable, manual, name = "audit.invoice")]
async fn audit(_event: &InvoiceWritten) {}

struct Shop {
    pool: SqlitePool,
    outbox: SqliteOutbox,
    mediator: Mediator,
    recorder: Recorder,
    clock: Clock,
    _folder: tempfile::TempDir,
}

async fn database() -> (SqlitePool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_millis(300));
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE invoice (order_id TEXT NOT NULL)").execute(&pool).await.unwrap();
    (pool, folder)
}

async fn shop(bind: impl FnOnce(mediator_core::MediatorBuilder) -> mediator_core::MediatorBuilder) -> Shop {
    let (pool, folder) = database().await;
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
    let outbox = SqliteOutbox::with_clock(pool.clone(), clock.clone()).await.unwrap();
    let recorder = Recorder::new();
    let builder = Mediator::builder().without_discovery().recorder(&recorder).outbox(outbox.clone());
    let mediator = bind(builder).build().unwrap();
    Shop { pool, outbox, mediator, recorder, clock, _folder: folder }
}

impl Shop {
    async fn invoices(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM invoice").fetch_one(&self.pool).await.unwrap()
    }
}

fn order() -> OrderPlaced {
    OrderPlaced::new("o-1".into())
}

#[tokio::test]
async fn a_delivery_is_recorded_with_the_transaction_that_is_lent() {
    let shop = shop(|builder| builder.bind_fn(note).bind_fn(confirm)).await;

    let mut tx = shop.pool.begin().await.unwrap();
    shop.mediator.with(&mut *tx).publish(order()).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(ran(&shop.recorder), ["note"]);
    assert_eq!(shop.outbox.deliveries().count().await.unwrap(), 0, "rolled back is never delivered");

    let mut tx = shop.pool.begin().await.unwrap();
    shop.mediator.with(&mut tx).publish(order()).await.unwrap();
    tx.commit().await.unwrap();
    let mut connection = shop.pool.acquire().await.unwrap();
    shop.mediator.with(&mut connection).publish(order()).await.unwrap();
    let mut tx = shop.outbox.begin().await.unwrap();
    shop.mediator.with(&mut tx).publish(order()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.outbox.stats().await.unwrap().unfinished(), 3);

    let drained = shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    assert_eq!((drained.done, drained.fenced), (3, 0));
    assert_eq!(ran(&shop.recorder), [["note"; 4].as_slice(), &["mail.confirm"; 3]].concat());
    assert_eq!(shop.outbox.stats().await.unwrap().unfinished(), 0);
}

#[tokio::test]
async fn a_handler_that_borrows_the_connection_commits_with_its_completion_and_what_it_publishes() {
    let shop = shop(|builder| builder.bind_fn(invoice).bind_fn(audit)).await;
    shop.mediator.publish(order()).await.unwrap();
    let drained = shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    assert_eq!(drained.done, 2);
    assert_published!(shop.recorder, InvoiceWritten { order_id, .. } if order_id == "o-1");
    assert_eq!(ran(&shop.recorder), ["billing.invoice", "audit.invoice"]);
    assert_eq!(shop.invoices().await, 1);
}

#[tokio::test]
async fn the_same_event_is_recorded_once() {
    let shop = shop(|builder| builder.bind_fn(confirm)).await;
    let id = EventId::new();
    for _ in 0..2 {
        shop.mediator.publish(OrderPlaced { event_id: id, order_id: "o-1".into() }).await.unwrap();
    }
    assert_eq!(shop.outbox.deliveries().count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_failure_of_an_ordinary_handler_says_that_deliveries_are_recorded() {
    let shop = shop(|builder| builder.bind_fn(fail).bind_fn(confirm)).await;
    let error = shop.mediator.publish(order()).await.unwrap_err();
    assert!(error.is_recorded());
    assert_eq!(error.kind(), PublishErrorKind::Handlers);
    assert_eq!(shop.outbox.deliveries().count().await.unwrap(), 1);

    let error = shop.mediator.publish_with(&GroupEventPublisher, order()).await.unwrap_err();
    assert!(error.is_recorded());
}

#[tokio::test]
async fn a_transaction_that_is_required_and_not_lent_is_an_error_that_gives_the_event_back() {
    let (pool, _folder) = database().await;
    let outbox = SqliteOutbox::new(pool.clone()).await.unwrap().require_transaction();
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone());
    let mediator = builder.bind_fn(note).bind_fn(confirm).build().unwrap();
    let error = mediator.publish(order()).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::NotRecorded);
    assert!(!error.is_recorded());
    assert!(format!("{error:#}").contains("requires a transaction"), "{error:#}");
    assert_eq!(error.into_unpublished().len(), 1);
}

#[tokio::test]
async fn a_handler_is_tried_again_with_backoff_until_it_is_dead_and_again_when_somebody_asks() {
    #[event_handler(durable, manual, name = "mail.broken", retry(attempts = 3, base = "1s", cap = "1m"))]
    async fn broken(_event: &OrderPlaced, delivery: &DeliveryInfo) -> Result<(), String> {
        Err(format!("the server is down in attempt {}", delivery.attempt()))
    }
    let shop = shop(|builder| builder.bind_fn(broken)).await;
    shop.mediator.publish(order()).await.unwrap();
    for _ in 0..4 {
        shop.outbox.worker(&shop.mediator).drain().await.unwrap();
        shop.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(ran(&shop.recorder), ["mail.broken"; 3]);
    let dead = shop.outbox.deliveries().in_state(State::Dead);
    let [delivery] = &*dead.list().await.unwrap() else { panic!("one is dead") };
    assert_eq!(delivery.attempts, 3);
    let error = delivery.last_error.as_deref().unwrap();
    assert!(error.contains("mail.broken") && error.ends_with("the server is down in attempt 3"), "{error}");

    assert_eq!(dead.retry().await.unwrap(), 1);
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let tree = shop.recorder.tree();
    assert!(tree.ends_with("failed: the server is down in attempt 1\n"), "{tree}");
}

#[tokio::test]
async fn permanent_errors_are_dead_at_once_and_retry_after_sets_the_time() {
    #[event_handler(durable, manual, name = "a.permanent")]
    async fn permanent(_event: &OrderPlaced) -> anyhow::Result<()> {
        Err(Permanent("no such customer"))?
    }
    #[event_handler(durable, manual, name = "b.later")]
    async fn later(_event: &OrderPlaced) -> Result<(), RetryAfter> {
        Err(RetryAfter(Duration::from_secs(3600), "429"))
    }
    #[event_handler(durable, manual, name = "c.panics", retry(attempts = 1))]
    async fn panics(_event: &OrderPlaced) {
        panic!("oh no")
    }
    let shop = shop(|builder| builder.bind_fn(permanent).bind_fn(later).bind_fn(panics)).await;
    shop.mediator.publish(order()).await.unwrap();
    let drained = shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    assert_eq!((drained.dead, drained.retried), (2, 1));
    let dead = shop.outbox.deliveries().in_state(State::Dead).list().await.unwrap();
    let errors: Vec<_> = dead.iter().map(|it| it.last_error.as_deref().unwrap()).collect();
    assert!(errors[0].contains("no such customer"), "{errors:?}");
    assert!(errors[1].contains("panicked: oh no"), "{errors:?}");

    shop.clock.advance(Duration::from_secs(3599));
    assert_eq!(shop.outbox.worker(&shop.mediator).drain().await.unwrap().retried, 0);
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.outbox.worker(&shop.mediator).drain().await.unwrap().retried, 1);
}

/// Panics when it is dropped, once it was recorded and read back.
#[derive(Debug, Default)]
struct Bomb {
    is_armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.is_armed, "boom");
    }
}

impl Serialize for Bomb {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Self { is_armed: true })
    }
}

#[event(name = "bombs.placed")]
#[derive(Debug, Serialize, Deserialize)]
struct BombPlaced {
    bomb: Bomb,
}

#[tokio::test]
async fn a_panic_beside_the_handler_is_a_failure_of_its_delivery_and_stops_no_other() {
    #[event_handler(durable, manual, name = "a.bombs", retry(attempts = 1))]
    async fn bombs(_event: &BombPlaced) {}
    let shop = shop(|builder| builder.bind_fn(bombs).bind_fn(confirm)).await;
    for _ in 0..3 {
        shop.mediator.publish(BombPlaced::new(Bomb::default())).await.unwrap();
        shop.mediator.publish(order()).await.unwrap();
    }
    let drained = shop.outbox.worker(&shop.mediator).concurrency(1).drain().await.unwrap();
    assert_eq!((drained.dead, drained.done), (3, 3));
    let dead = shop.outbox.deliveries().in_state(State::Dead).list().await.unwrap();
    assert!(dead.iter().all(|it| it.last_error.as_deref().unwrap().ends_with("panicked")), "{dead:?}");
}

#[tokio::test]
async fn scheduled_deliveries_are_due_later_and_can_be_taken_back() {
    let shop = shop(|builder| builder.bind_fn(note).bind_fn(confirm)).await;
    shop.mediator.schedule(order(), Duration::from_secs(60)).await.unwrap();
    let event = order();
    let id = event.event_id;
    let mut tx = shop.pool.begin().await.unwrap();
    shop.mediator.with(&mut *tx).schedule(event, Duration::from_secs(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.outbox.worker(&shop.mediator).drain().await.unwrap().done, 0);
    assert_eq!(shop.mediator.unschedule(id).await.unwrap(), 1);
    shop.clock.advance(Duration::from_secs(60));
    assert_eq!(shop.outbox.worker(&shop.mediator).drain().await.unwrap().done, 1);
    assert_eq!(ran(&shop.recorder), ["mail.confirm"], "ordinary handlers do not run for it");
}

#[tokio::test]
async fn a_worker_that_is_started_delivers_at_once_what_is_committed() {
    #[event_handler(durable, manual, name = "x.signal")]
    async fn signal(_event: &OrderPlaced, called: Arc<Notify>) {
        called.notify_one();
    }
    let called = Arc::new(Notify::new());
    let shop = shop(|builder| builder.provide(called.clone()).bind_fn(signal)).await;
    let worker = shop.outbox.worker(&shop.mediator).start();
    for _ in 0..3 {
        let mut tx = shop.outbox.begin().await.unwrap();
        shop.mediator.with(&mut *tx).publish(order()).await.unwrap();
        tx.commit().await.unwrap();
        called.notified().await;
    }
    worker.shutdown(Duration::from_secs(5)).await;
    assert_eq!(shop.outbox.stats().await.unwrap().unfinished(), 0);
}

#[tokio::test]
async fn a_worker_of_an_injected_mediator_delivers_to_its_handlers() {
    #[event_handler(manual)]
    async fn deliver(_event: &InvoiceWritten, mediator: Mediator, outbox: InMemoryOutbox) -> anyhow::Result<()> {
        assert!(mediator.is_weak());
        let drained = outbox.worker(&mediator).drain().await?;
        anyhow::ensure!(drained.done == 1, "{drained:?}");
        Ok(())
    }
    let outbox = InMemoryOutbox::new();
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone()).provide(outbox);
    let mediator = builder.bind_fn(deliver).bind_fn(confirm).build().unwrap();
    mediator.publish(order()).await.unwrap();
    mediator.publish(InvoiceWritten::new("o-1".into())).await.unwrap();
}

#[tokio::test]
async fn a_publish_within_a_handler_that_holds_the_transaction_says_what_to_do() {
    #[event_handler(manual)]
    async fn nested(
        _event: &InvoiceWritten,
        _tx: &mut SqliteConnection,
        publisher: &Publisher,
    ) -> Result<(), PublishError> {
        publisher.publish(order()).await
    }
    let shop = shop(|builder| builder.bind_fn(nested).bind_fn(confirm)).await;
    let mut tx = shop.pool.begin().await.unwrap();
    let event = InvoiceWritten::new("o-1".into());
    let error = shop.mediator.with(&mut *tx).publish(event).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("another handler holds") && text.contains("publisher.with(&mut *…)"), "{text}");
}

#[tokio::test]
async fn an_injected_publisher_within_a_transaction_ends_in_an_error_with_advice() {
    #[event_handler(manual)]
    async fn separate(_event: &InvoiceWritten, publisher: Publisher, tx: &mut SqliteConnection) -> anyhow::Result<()> {
        sqlx::query("INSERT INTO invoice VALUES ('x')").execute(tx).await?;
        publisher.publish(order()).await?;
        Ok(())
    }
    let shop = shop(|builder| builder.bind_fn(separate).bind_fn(confirm)).await;
    let mut tx = shop.pool.begin().await.unwrap();
    let event = InvoiceWritten::new("o-1".into());
    let error = shop.mediator.with(&mut *tx).publish(event).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("write lock") && text.contains(".with(&mut *tx)"), "{text}");
}

#[test]
fn a_durable_handler_without_an_outbox_or_with_what_no_worker_lends_cannot_be_built() {
    struct Tenant;
    #[event_handler(durable, manual, name = "x.tenant")]
    async fn of_tenant(_event: &OrderPlaced, _tenant: &Tenant) {}

    let builder = || Mediator::builder().without_discovery();
    let error = builder().bind_fn(confirm).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::NoOutbox { .. }]), "{error}");
    let error = builder().outbox(InMemoryOutbox::new()).bind_fn(of_tenant).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DurableBorrows { .. }]), "{error}");
    let error = builder().outbox(InMemoryOutbox::new()).bind_fn(invoice).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DurableBorrows { .. }]), "{error}");
    let two = builder().outbox(InMemoryOutbox::new()).outbox(InMemoryOutbox::new());
    assert!(matches!(two.build().unwrap_err().problems(), [BuildProblem::SecondOutbox { .. }]));
}

#[tokio::test]
async fn the_correlation_id_reaches_durable_handlers_and_what_they_publish() {
    #[event_handler(durable, manual, name = "a.first")]
    async fn first(_event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
        publisher.publish(InvoiceWritten::new(publisher.correlation_id().unwrap().to_string())).await
    }
    #[event_handler(durable, manual, name = "b.second")]
    async fn second(event: &InvoiceWritten, publisher: &Publisher) {
        assert_eq!(publisher.correlation_id().unwrap().to_string(), event.order_id);
    }
    let shop = shop(|builder| builder.bind_fn(first).bind_fn(second)).await;
    let event = order();
    let id = event.event_id.to_string();
    shop.mediator.publish(event).await.unwrap();
    assert_eq!(shop.outbox.worker(&shop.mediator).drain().await.unwrap().done, 2);
    assert_published!(shop.recorder, InvoiceWritten { order_id, .. } if *order_id == id);
}

#[tokio::test]
async fn memory_is_bounded_and_a_publish_from_a_delivery_does_not_wait() {
    #[event_handler(durable, manual, name = "fan.out")]
    async fn fan_out(_event: &OrderPlaced, publisher: Publisher) -> Result<(), PublishError> {
        for _ in 0..5 {
            publisher.publish(InvoiceWritten::new("o-1".into())).await?;
        }
        Ok(())
    }
    let outbox = InMemoryOutbox::bounded(2);
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone());
    let mediator = builder.bind_fn(fan_out).bind_fn(audit).build().unwrap();
    mediator.publish(order()).await.unwrap();
    mediator.publish(order()).await.unwrap();
    let third = tokio::spawn({
        let mediator = mediator.clone();
        async move { mediator.publish(order()).await }
    });
    tokio::task::yield_now().await;
    assert!(!third.is_finished());
    let first = outbox.worker(&mediator).drain().await.unwrap();
    third.await.unwrap().unwrap();
    let second = outbox.worker(&mediator).drain().await.unwrap();
    assert_eq!(first.done + second.done, 3 + 15);
}
