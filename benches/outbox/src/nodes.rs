//! How many deliveries several processes on one database get through.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mediator_core::prelude::*;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::database::Database;
use crate::measure::{Spread, rate};
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work::{self, Placed};

/// How often each number of processes takes its turn.
const ROUNDS: usize = 3;

const NODES: [usize; 3] = [1, 2, 4];

/// What a handler of a worker does.
#[derive(Clone, Copy)]
enum Work {
    Nothing,
    /// Waits, as for a mail server.
    Waits,
}

impl Work {
    const ALL: [Self; 2] = [Self::Nothing, Self::Waits];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Waits => "waits 10 ms",
        }
    }

    fn deliveries(self) -> usize {
        match self {
            Self::Nothing => 60_000,
            Self::Waits => 8_000,
        }
    }
}

#[event_handler(durable, manual, name = "bench.first")]
async fn wait(_event: &Placed) {
    sleep(Duration::from_millis(10)).await;
}

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    for work in Work::ALL {
        measure::<Sqlite>(work, &mut rows).await?;
        measure::<Postgres>(work, &mut rows).await?;
    }
    let columns = ["", "a handler", "1 process, per second", "2 processes over 1", "4 processes over 1"];
    table("Several processes on one database", &columns, &rows);
    println!(
        "Each process has one worker with eight handlers at a time; all of them, and PostgreSQL, share the machine's hardware threads.\n"
    );
    Ok(())
}

async fn measure<D: Database>(work: Work, rows: &mut Vec<Vec<String>>) -> Result<()> {
    let database = D::create().await?;
    let mut times = [const { Vec::new() }; NODES.len()];
    for _ in 0..ROUNDS {
        for (times, nodes) in times.iter_mut().zip(NODES) {
            database.fill(work.deliveries(), 0).await?;
            times.push(deliver_by(nodes, &database, work).await?);
            database.empty().await?;
        }
    }
    let more = |index: usize| Spread::of_ratios(&times[0], &times[index]).to_string();
    let rate = rate(work.deliveries(), &times[0]);
    rows.push(vec![D::NAME.to_owned(), work.name().to_owned(), rate, more(1), more(2)]);
    database.destroy().await
}

/// How many seconds it takes.
async fn deliver_by<D: Database>(nodes: usize, database: &D, work: Work) -> Result<f64> {
    let mut children = Vec::new();
    for _ in 0..nodes {
        children.push(start(database, work).await?);
    }
    let began = Instant::now();
    for node in &mut children {
        node.stdin.as_mut().context("its input")?.write_all(b"go\n").await?;
    }
    for node in &mut children {
        ensure!(node.wait().await?.success(), "a worker failed");
    }
    let took = began.elapsed().as_secs_f64();
    ensure!(database.outbox().deliveries().count().await? == 0, "something is left");
    Ok(took)
}

/// A process that waits for a line before it begins.
async fn start<D: Database>(database: &D, work: Work) -> Result<Child> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child-drains", D::NAME, database.place(), work.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    ensure!(lines.next_line().await?.is_some(), "a worker did not start");
    Ok(child)
}

/// The other process.
pub async fn drain<D: Database>(place: &str, work: &str) -> Result<()> {
    let database = D::open(place).await?;
    let mediator = match Work::ALL.into_iter().find(|it| it.name() == work).context("no such work")? {
        Work::Nothing => work::one_handler(database.outbox()),
        Work::Waits => work::builder(database.outbox()).bind_fn(wait).build()?,
    };
    println!("ready");
    BufReader::new(tokio::io::stdin()).lines().next_line().await?;
    database.outbox().worker(&mediator).drain().await?;
    Ok(())
}
