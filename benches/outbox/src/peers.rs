//! Other outboxes and queues: how fast a worker goes through jobs that do nothing.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};
use sqlx08::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::time::{sleep, timeout};

use crate::database::Database;
use crate::measure::{Spread, rate};
use crate::postgres::{Postgres, create_database, drop_database};
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work::{self, Placed};

/// How many jobs there are, for those who are fast.
const MANY: usize = 60_000;

/// How many there are for those who take a second for a thousand.
const FEW: usize = 2_000;

/// How often each takes its turn.
const ROUNDS: usize = 3;

/// How many handlers run at a time, for all who can say so.
const CONCURRENCY: usize = 100;

/// How often a handler was called; a static, since not everybody gives his handlers something.
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn call() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Waits until everything was handled, and returns how many seconds that took.
async fn until_called(times: usize) -> Result<f64> {
    let began = Instant::now();
    let wait = async {
        while CALLS.load(Ordering::Relaxed) < times {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(180), wait).await.context("it takes too long")?;
    CALLS.store(0, Ordering::Relaxed);
    Ok(began.elapsed().as_secs_f64())
}

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    on_postgres(&mut rows).await?;
    on_sqlite(&mut rows).await?;
    table("Peers", &["", "database", "jobs per second", "this outbox is so many times as fast"], &rows);
    println!(
        "From the start of a worker with all jobs in the database to the call of the last handler, which does nothing; \
         {CONCURRENCY} handlers at a time where that can be said, and the options that are fast: graphile_worker with a local queue of \
         500 and completions in batches, awa with claims of 500, apalis and hexeract with batches of 100. The outbox has no options \
         but its concurrency. {MANY} jobs, {FEW} for apalis and hexeract. Medians of {ROUNDS} rounds.\n"
    );
    Ok(())
}

async fn on_postgres(rows: &mut Vec<Vec<String>>) -> Result<()> {
    let mut times = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        let now = [
            outbox::<Postgres>().await?,
            graphile().await?,
            awa().await?,
            apalis_postgres().await?,
            hexeract_postgres().await?,
        ];
        times.iter_mut().zip(now).for_each(|(times, now)| times.push(now));
    }
    let names = ["this outbox", "graphile_worker 0.14", "awa 0.6", "apalis-postgres 1.0", "hexeract 0.6"];
    describe(Postgres::NAME, &names, &times, rows);
    Ok(())
}

async fn on_sqlite(rows: &mut Vec<Vec<String>>) -> Result<()> {
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let now = [outbox::<Sqlite>().await?, apalis_sqlite().await?, hexeract_sqlite().await?];
        times.iter_mut().zip(now).for_each(|(times, now)| times.push(now));
    }
    describe(Sqlite::NAME, &["this outbox", "apalis-sqlite 1.0", "hexeract 0.6"], &times, rows);
    Ok(())
}

/// `times` are seconds for each job.
fn describe(database: &str, names: &[&str], times: &[Vec<f64>], rows: &mut Vec<Vec<String>>) {
    for (name, own) in names.iter().zip(times) {
        let ratio = Spread::of_ratios(own, &times[0]);
        rows.push(vec![(*name).to_owned(), database.to_owned(), rate(1, own), format!("{ratio:.1}")]);
    }
}

#[event_handler(durable, manual, name = "bench.first")]
async fn count(_event: &Placed) {
    call();
}

async fn outbox<D: Database>() -> Result<f64> {
    let database = D::create().await?;
    database.fill(MANY, 0).await?;
    let mediator = work::builder(database.outbox()).bind_fn(count).build()?;
    let worker = database.outbox().worker(&mediator).concurrency(CONCURRENCY).start();
    let took = until_called(MANY).await?;
    worker.shutdown(Duration::from_secs(5)).await;
    database.destroy().await?;
    Ok(took / MANY as f64)
}

/// The same bytes for everybody.
#[derive(Clone, Debug, Serialize, Deserialize, awa::JobArgs)]
struct Work {
    text: String,
}

impl Work {
    fn some() -> Self {
        Self { text: "x".repeat(140) }
    }
}

impl graphile_worker::TaskHandler for Work {
    const IDENTIFIER: &'static str = "work";

    async fn run(self, _: graphile_worker::WorkerContext) -> impl graphile_worker::IntoTaskHandlerResult {
        call();
        Ok::<(), String>(())
    }
}

async fn graphile() -> Result<f64> {
    use graphile_worker::{JobSpec, LocalQueueConfig, WorkerOptions};
    let place = create_database().await?;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(10).connect(&place).await?;
    let worker = WorkerOptions::default()
        .concurrency(CONCURRENCY)
        .pg_pool(pool.clone())
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(500))
        .define_job::<Work>()
        .init()
        .await?;
    let spec = JobSpec::default();
    let jobs: Vec<_> = (0..1_000).map(|_| (Work::some(), &spec)).collect();
    for _ in 0..MANY / jobs.len() {
        worker.create_utils().add_jobs::<Work>(&jobs).await?;
    }
    let worker = Arc::new(worker);
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    let took = until_called(MANY).await?;
    worker.request_shutdown();
    running.await??;
    pool.close().await;
    drop_database(&place).await?;
    Ok(took / MANY as f64)
}

async fn awa() -> Result<f64> {
    use awa::{Client, InsertOpts, JobResult, QueueConfig};
    let place = create_database().await?;
    let pool = sqlx08::postgres::PgPoolOptions::new().max_connections(10).connect(&place).await?;
    awa::migrations::run(&pool).await?;
    let queue =
        QueueConfig { max_workers: u32::try_from(CONCURRENCY)?, claim_batch_size: 500, ..QueueConfig::default() };
    let client = Client::builder(pool.clone())
        .queue("work", queue)
        .register::<Work, _, _>(|_, _| async {
            call();
            Ok(JobResult::Completed)
        })
        .build()?;
    let options = || InsertOpts { queue: "work".into(), ..InsertOpts::default() };
    let jobs = (0..1_000).map(|_| awa::model::insert::params_with(&Work::some(), options()));
    let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
    for _ in 0..MANY / jobs.len() {
        awa::insert_many(&pool, &jobs).await?;
    }
    let began = Instant::now();
    client.start().await?;
    until_called(MANY).await?;
    let took = began.elapsed().as_secs_f64();
    client.shutdown(Duration::from_secs(5)).await;
    pool.close().await;
    drop_database(&place).await?;
    Ok(took / MANY as f64)
}

async fn apalis_job(_: Work) -> Result<(), apalis::prelude::BoxDynError> {
    call();
    Ok(())
}

async fn apalis_postgres() -> Result<f64> {
    use apalis::prelude::*;
    use apalis_postgres::{Config, PostgresStorage};
    let place = create_database().await?;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(10).connect(&place).await?;
    PostgresStorage::setup(&pool).await?;
    let mut backend = PostgresStorage::<Work>::new(&pool).with_config(Config::default().queue("work").batch_size(100));
    backend.push_all(&mut futures::stream::iter(vec![TaskBuilder::new(Work::some()).build(); FEW])).await?;
    let worker = WorkerBuilder::new("worker")
        .backend(backend)
        .concurrency(CONCURRENCY)
        .parallelize(tokio::spawn)
        .build(apalis_job);
    let running = tokio::spawn(worker.run());
    let took = until_called(FEW).await?;
    running.abort();
    pool.close().await;
    drop_database(&place).await?;
    Ok(took / FEW as f64)
}

async fn apalis_sqlite() -> Result<f64> {
    use apalis::prelude::*;
    use apalis_sqlite::{Config, SqliteStorage};
    let database = Sqlite::create().await?;
    SqliteStorage::setup(&database.pool).await?;
    let mut backend =
        SqliteStorage::<Work>::new(&database.pool).with_config(Config::default().queue("work").batch_size(100));
    backend.push_all(&mut futures::stream::iter(vec![TaskBuilder::new(Work::some()).build(); FEW])).await?;
    let worker = WorkerBuilder::new("worker")
        .backend(backend)
        .concurrency(CONCURRENCY)
        .parallelize(tokio::spawn)
        .build(apalis_job);
    let running = tokio::spawn(worker.run());
    let took = until_called(FEW).await?;
    running.abort();
    database.destroy().await?;
    Ok(took / FEW as f64)
}

impl hexeract::outbox::Event for Work {
    const EVENT_TYPE: &'static str = "work";
}

struct Count;

impl hexeract::outbox::Handler<Work> for Count {
    type Error = hexeract::outbox::OutboxError;

    async fn handle(&self, _: Work, _: &hexeract::core::HandlerContext) -> Result<(), Self::Error> {
        call();
        Ok(())
    }
}

async fn hexeract_postgres() -> Result<f64> {
    use hexeract::outbox::OutboxPublisher as _;
    use hexeract::outbox_sql::{PgOutboxPublisher, PgOutboxWorkerBuilder, postgres};
    let place = create_database().await?;
    let pool = sqlx08::postgres::PgPoolOptions::new().max_connections(10).connect(&place).await?;
    postgres::ensure_schema(&pool, "outbox").await?;
    let publisher = PgOutboxPublisher::new(pool.clone(), "outbox")?;
    let mut tx = pool.begin().await?;
    for _ in 0..FEW {
        publisher.publish_in_tx(&mut tx, &Work::some()).await?;
    }
    tx.commit().await?;
    let worker = PgOutboxWorkerBuilder::new(pool.clone()).table_name("outbox").batch_size(100);
    let worker = worker.register_handler::<Work, _>(Count).build()?;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    let took = until_called(FEW).await?;
    stop.cancel();
    running.await??;
    pool.close().await;
    drop_database(&place).await?;
    Ok(took / FEW as f64)
}

async fn hexeract_sqlite() -> Result<f64> {
    use hexeract::outbox::OutboxPublisher as _;
    use hexeract::outbox_sql::{SqliteOutboxPublisher, SqliteOutboxWorkerBuilder, sqlite};
    let database = Sqlite::create().await?;
    let options = SqliteConnectOptions::from_str(database.place())?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new().max_connections(5).connect_with(options).await?;
    sqlite::ensure_schema(&pool, "outbox").await?;
    let publisher = SqliteOutboxPublisher::new(pool.clone(), "outbox")?;
    let mut tx = pool.begin().await?;
    for _ in 0..FEW {
        publisher.publish_in_tx(&mut tx, &Work::some()).await?;
    }
    tx.commit().await?;
    let worker = SqliteOutboxWorkerBuilder::new(pool.clone()).table_name("outbox").batch_size(100);
    let worker = worker.register_handler::<Work, _>(Count).build()?;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    let took = until_called(FEW).await?;
    stop.cancel();
    running.await??;
    pool.close().await;
    database.destroy().await?;
    Ok(took / FEW as f64)
}
