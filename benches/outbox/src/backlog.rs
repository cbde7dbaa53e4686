//! What a worker needs with many deliveries in front of it.

use std::fs;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::database::Database;
use crate::measure::thousands;
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work;

/// How many of them are delivered while the memory is looked at.
const DELIVERED: usize = 5_000;

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    measure::<Sqlite>(&mut rows).await?;
    measure::<Postgres>(&mut rows).await?;
    table(
        "Memory",
        &["", "waiting deliveries", "most memory of a process that delivers some, MiB", "deliveries per second"],
        &rows,
    );
    println!(
        "Half of the deliveries wait behind ten keys; a process of its own delivers {} of the others.\n",
        thousands(DELIVERED as f64)
    );
    Ok(())
}

async fn measure<D: Database>(rows: &mut Vec<Vec<String>>) -> Result<()> {
    for waiting in [10_000, 1_000_000] {
        let database = D::create().await?;
        database.fill(waiting / 2, 10).await?;
        database.fill(waiting / 2, 0).await?;
        let child = Command::new(std::env::current_exe()?).args(["child-delivers", D::NAME, database.place()]).output();
        let output = String::from_utf8(child.await?.stdout)?;
        let (memory, rate) = output.trim().split_once(' ').context("memory and rate")?;
        rows.push(vec![D::NAME.to_owned(), thousands(waiting as f64), memory.to_owned(), rate.to_owned()]);
        database.destroy().await?;
    }
    Ok(())
}

/// The other process: delivers some, and says how much memory it took at most.
pub async fn deliver<D: Database>(place: &str) -> Result<()> {
    let database = D::open(place).await?;
    let mediator = work::one_handler(database.outbox());
    let began = std::time::Instant::now();
    let before = database.outbox().deliveries().count().await?;
    let worker = database.outbox().worker(&mediator).start();
    while before - database.outbox().deliveries().count().await? < DELIVERED as u64 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let rate = DELIVERED as f64 / began.elapsed().as_secs_f64();
    worker.shutdown(std::time::Duration::from_secs(5)).await;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the most memory")?;
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{:.1} {}", kib / 1024.0, thousands(rate));
    Ok(())
}
