//! Whether the rate lasts while somebody keeps an old snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use mediator_core::prelude::*;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use crate::database::Database;
use crate::measure::thousands;
use crate::postgres::Postgres;
use crate::report::table;
use crate::work::{self, Placed};

type Delivered = Arc<AtomicU64>;

#[event_handler(durable, manual, name = "bench.first")]
async fn count(_event: &Placed, delivered: Delivered) {
    delivered.fetch_add(1, Ordering::Relaxed);
}

const SLICES: usize = 6;
const SLICE: Duration = Duration::from_secs(10);

pub async fn report() -> Result<()> {
    let database = Postgres::create().await?;
    let mut pinned = PgConnection::connect(database.place()).await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM mediator_event")
        .execute(&mut pinned)
        .await?;
    let delivered = Delivered::default();
    let mediator = work::builder(database.outbox()).provide(delivered.clone()).bind_fn(count).build()?;
    let worker = database.outbox().worker(&mediator).start();
    let mut rates = Vec::new();
    let mut filled = 0;
    for _ in 0..SLICES {
        let (began, before) = (Instant::now(), delivered.load(Ordering::Relaxed));
        while began.elapsed() < SLICE {
            // Always something to do, and never much.
            if filled - delivered.load(Ordering::Relaxed) < 5_000 {
                database.fill(1_000, 0).await?;
                filled += 1_000;
            } else {
                sleep(Duration::from_millis(5)).await;
            }
        }
        let count = delivered.load(Ordering::Relaxed) - before;
        rates.push(thousands(count as f64 / began.elapsed().as_secs_f64()));
    }
    worker.shutdown(Duration::from_secs(5)).await;
    drop(pinned);
    let columns = ["", "0–10 s", "10–20 s", "20–30 s", "30–40 s", "40–50 s", "50–60 s"];
    let row = [vec!["deliveries per second".to_owned()], rates].concat();
    table("An old snapshot (PostgreSQL)", &columns, &[row]);
    println!(
        "A transaction that was begun before stays open, so that no row that is gone can be cleaned up. Deliveries are recorded as \
         fast as they are done.\n"
    );
    database.destroy().await
}
