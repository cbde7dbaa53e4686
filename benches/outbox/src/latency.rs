//! How long after a commit a handler starts.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use mediator_core::EventId;
use mediator_core::prelude::*;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::sleep;

use crate::database::Database;
use crate::measure::{millis, percentile};
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::{Sqlite, now};
use crate::work::{self, Placed};

/// When handlers started, in microseconds since 1970.
type Starts = Arc<Mutex<HashMap<EventId, i64>>>;

#[event_handler(durable, manual, name = "bench.first")]
async fn start(event: &Placed, starts: Starts) {
    starts.lock().expect("nobody panicked").entry(event.event_id).or_insert_with(now);
}

const PUBLISHES: usize = 300;

/// The first ones are not counted: until then the worker connects, and its statements are prepared.
const FIRST: usize = 20;

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    here::<Sqlite>(&mut rows).await?;
    here::<Postgres>(&mut rows).await?;
    elsewhere::<Sqlite>(&mut rows, "p50 25 ms").await?;
    elsewhere::<Postgres>(&mut rows, "p50 10 ms").await?;
    table("From commit to start", &["", "published", "p50", "p99", "at most"], &rows);
    println!(
        "From before the commit of `outbox.begin()`, so with the commit itself, to the start of the handler; the worker is idle, and \
         {PUBLISHES} publishes come one after the other at irregular times.\n"
    );
    Ok(())
}

/// Publishes at irregular times; says when each commit began.
async fn publish<D: Database>(
    database: &D,
    mediator: &Mediator,
    mut committing: impl FnMut(EventId, i64),
) -> Result<()> {
    for index in 0..FIRST + PUBLISHES {
        sleep(Duration::from_micros(5_000 + (index as u64 * 7_919) % 20_000)).await;
        let event = Placed::some();
        let id = event.event_id;
        let mut tx = database.outbox().begin().await?;
        mediator.with(&mut *tx).publish(event).await?;
        let began = now();
        tx.commit().await?;
        committing(id, began);
    }
    Ok(())
}

async fn here<D: Database>(rows: &mut Vec<Vec<String>>) -> Result<()> {
    let database = D::create().await?;
    let starts = Starts::default();
    let mediator = work::builder(database.outbox()).provide(starts.clone()).bind_fn(start).build()?;
    let worker = database.outbox().worker(&mediator).start();
    let mut commits = Vec::new();
    publish(&database, &mediator, |id, at| commits.push((id, at))).await?;
    sleep(Duration::from_millis(500)).await;
    worker.shutdown(Duration::from_secs(5)).await;
    rows.push(row(D::NAME, "in the worker's process", &commits, &starts, "p50 2 ms, p99 10 ms")?);
    database.destroy().await
}

async fn elsewhere<D: Database>(rows: &mut Vec<Vec<String>>, target: &str) -> Result<()> {
    let database = D::create().await?;
    let starts = Starts::default();
    let mediator = work::builder(database.outbox()).provide(starts.clone()).bind_fn(start).build()?;
    let worker = database.outbox().worker(&mediator).start();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child-publishes", D::NAME, database.place()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let mut commits = Vec::new();
    while let Some(line) = lines.next_line().await? {
        let (id, at) = line.split_once(' ').context("an id and a time")?;
        commits.push((id.parse()?, at.parse()?));
    }
    child.wait().await?;
    sleep(Duration::from_millis(1500)).await;
    worker.shutdown(Duration::from_secs(5)).await;
    rows.push(row(D::NAME, "in another process", &commits, &starts, target)?);
    database.destroy().await
}

/// The other process.
pub async fn publish_elsewhere<D: Database>(place: &str) -> Result<()> {
    let database = D::open(place).await?;
    let mediator = work::one_handler(database.outbox());
    publish(&database, &mediator, |id, at| println!("{id} {at}")).await
}

fn row(name: &str, from: &str, commits: &[(EventId, i64)], starts: &Starts, target: &str) -> Result<Vec<String>> {
    let starts = starts.lock().expect("nobody panicked");
    let latency = |(id, at): &(EventId, i64)| {
        let started = starts.get(id).context("everything was delivered")?;
        Ok(Duration::from_micros(u64::try_from(started - at)?))
    };
    let mut all = commits[FIRST..].iter().map(latency).collect::<Result<Vec<_>>>()?;
    all.sort_unstable();
    let [median, late] = [50, 99].map(|percent| millis(percentile(&all, percent)));
    Ok(vec![name.to_owned(), from.to_owned(), median, late, target.to_owned()])
}
