//! How many statements deliveries and an idle worker cost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::database::Database;
use crate::measure::thousands;
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work;

static COUNTS: AtomicBool = AtomicBool::new(false);
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// Counts what sqlx says about its statements.
struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        COUNTS.load(Ordering::Relaxed) && metadata.target() == "sqlx::query"
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        if metadata.target() == "sqlx::query" {
            tracing::subscriber::Interest::sometimes()
        } else {
            tracing::subscriber::Interest::never()
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        STATEMENTS.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// To be called before anything else.
pub fn watch() {
    tracing::subscriber::set_global_default(Counter).expect("the first one");
}

/// How many statements were sent meanwhile.
async fn counted(work: impl Future<Output = Result<()>>) -> Result<u64> {
    let before = STATEMENTS.load(Ordering::Relaxed);
    COUNTS.store(true, Ordering::Relaxed);
    let done = work.await;
    COUNTS.store(false, Ordering::Relaxed);
    done.map(|()| STATEMENTS.load(Ordering::Relaxed) - before)
}

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    measure::<Sqlite>(&mut rows).await?;
    measure::<Postgres>(&mut rows).await?;
    table(
        "Statements",
        &[
            "",
            "for a publish with five handlers (1)",
            "for 100 deliveries (at most 3)",
            "per second, idle",
            "idle for 12 seconds: has written (no)",
        ],
        &rows,
    );
    println!(
        "Counted by what sqlx tells `tracing`, of 20,000 deliveries to one handler; purges are among the idle ones.\n"
    );
    Ok(())
}

async fn measure<D: Database>(rows: &mut Vec<Vec<String>>) -> Result<()> {
    const COUNT: usize = 20_000;
    const IDLE: u64 = 12;
    let database = D::create().await?;
    let publish = {
        let five = work::five_handlers(database.outbox());
        counted(database.publish(&five, 1, 1_000)).await? as f64 / 1_000.0
    };
    database.empty().await?;
    database.fill(COUNT, 0).await?;
    let mediator = work::one_handler(database.outbox());
    let deliver = async {
        database.outbox().worker(&mediator).drain().await?;
        Ok(())
    };
    let delivering = counted(deliver).await? as f64 / (COUNT / 100) as f64;
    database.empty().await?;
    let worker = database.outbox().worker(&mediator).start();
    // PostgreSQL's statistics are late by up to ten seconds.
    sleep(Duration::from_secs(15)).await;
    let before = database.writes().await?;
    let idle = counted(async {
        sleep(Duration::from_secs(IDLE)).await;
        Ok(())
    })
    .await?;
    let written = database.writes().await? != before;
    worker.shutdown(Duration::from_secs(5)).await;
    rows.push(vec![
        D::NAME.to_owned(),
        format!("{publish:.2}"),
        format!("{delivering:.2}"),
        thousands(idle as f64 / IDLE as f64),
        if written { "yes" } else { "no" }.to_owned(),
    ]);
    database.destroy().await
}
