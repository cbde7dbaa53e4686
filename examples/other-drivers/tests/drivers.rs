//! What is recorded through another driver's transaction is delivered like what is published.

use std::sync::{Arc, Mutex};

use mediator_core::prelude::*;
use mediator_outbox::{PostgresOutbox, SqliteOutbox};
use other_drivers::OrderPlaced;
use sea_orm::{Database, DatabaseConnection, TransactionTrait};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio_postgres::NoTls;

type Orders = Arc<Mutex<Vec<i64>>>;

#[event_handler(durable, name = "mail.confirm")]
fn confirm(event: &OrderPlaced, orders: Orders) {
    orders.lock().unwrap().push(event.order_id);
}

#[event_handler(durable, name = "billing.invoice")]
fn invoice(event: &OrderPlaced, orders: Orders) {
    orders.lock().unwrap().push(-event.order_id);
}

fn delivered(orders: &Orders) -> Vec<i64> {
    let mut orders = std::mem::take(&mut *orders.lock().unwrap());
    orders.sort_unstable();
    orders
}

#[tokio::test]
async fn sea_orm_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await.unwrap();
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
    let outbox = SqliteOutbox::new(pool).await.unwrap();
    let orders = Orders::default();
    let mediator = Mediator::builder().provide(orders.clone()).outbox(outbox.clone()).build().unwrap();

    let db = Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    place_and_roll_back(&db, &mediator).await;
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 2);
    assert_eq!(delivered(&orders), [-7, 7]);
}

/// Places order 7 twice, of which the second time fails, and order 8, which is rolled back.
async fn place_and_roll_back(db: &DatabaseConnection, mediator: &Mediator) {
    other_drivers::sea_orm::place_order(db, mediator, 7).await.unwrap();
    other_drivers::sea_orm::place_order(db, mediator, 7).await.unwrap_err();
    let tx = db.begin().await.unwrap();
    other_drivers::sea_orm::record(&tx, mediator, &OrderPlaced::new(8)).await.unwrap();
    tx.rollback().await.unwrap();
}

/// Runs with a schema of its own; skipped where there is no PostgreSQL, unless that is required.
async fn with_postgres<F: Future<Output = ()>>(test: &str, run: impl FnOnce(String) -> F) {
    let address = std::env::var("MEDIATOR_TEST_POSTGRES");
    let address = address.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let pool = match PgPool::connect(&address).await {
        Ok(pool) => pool,
        Err(error) => {
            let required = std::env::var("MEDIATOR_TEST_REQUIRE").is_ok_and(|it| it.contains("postgres"));
            assert!(!required, "PostgreSQL is required: {error}");
            eprintln!("{test} is skipped: there is no PostgreSQL at {address}: {error}");
            return;
        }
    };
    let schema = format!("drivers_{test}_{}", std::process::id());
    let create = format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.orders (id bigint PRIMARY KEY)");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&pool).await.unwrap();
    run(format!("{address}?options=-csearch_path%3D{schema}")).await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).execute(&pool).await.unwrap();
}

#[tokio::test]
async fn sea_orm_on_postgres() {
    with_postgres("sea_orm", |address| async move {
        let outbox = PostgresOutbox::new(PgPool::connect(&address).await.unwrap()).await.unwrap();
        let orders = Orders::default();
        let mediator = Mediator::builder().provide(orders.clone()).outbox(outbox.clone()).build().unwrap();

        let db = Database::connect(&address).await.unwrap();
        place_and_roll_back(&db, &mediator).await;
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 2);
        assert_eq!(delivered(&orders), [-7, 7]);
    })
    .await;
}

#[tokio::test]
async fn tokio_postgres_on_postgres() {
    with_postgres("tokio_postgres", |address| async move {
        let outbox = PostgresOutbox::new(PgPool::connect(&address).await.unwrap()).await.unwrap();
        let orders = Orders::default();
        let mediator = Mediator::builder().provide(orders.clone()).outbox(outbox.clone()).build().unwrap();

        let (mut client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
        tokio::spawn(connection);
        let place = other_drivers::tokio_postgres::place_order;
        place(&mut client, &mediator, 7).await.unwrap();
        place(&mut client, &mediator, 7).await.unwrap_err();
        let tx = client.transaction().await.unwrap();
        other_drivers::tokio_postgres::record(&tx, &mediator, &OrderPlaced::new(8)).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 2);
        assert_eq!(delivered(&orders), [-7, 7]);
    })
    .await;
}
