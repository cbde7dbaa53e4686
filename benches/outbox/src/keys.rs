//! What a claim takes with many deliveries behind few keys.

use std::time::{Duration, Instant};

use anyhow::Result;
use mediator_outbox::store::{Claim, Store as _, Wanted};
use uuid::Uuid;

use crate::database::Database;
use crate::measure::{Spread, thousands};
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work::{EVENT, HANDLER};

const COUNT: usize = 100_000;
const KEYS: usize = 10;
const CLAIMS: usize = 201;

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    measure::<Sqlite>(&mut rows).await?;
    measure::<Postgres>(&mut rows).await?;
    table(
        "Keys",
        &[
            "",
            "claim of ten, without keys, ms",
            "the same behind ten keys, ms",
            "over (at most 2)",
            "first claim behind keys, ms",
        ],
        &rows,
    );
    println!(
        "Of {} deliveries each. What is claimed is completed, then the next ten are claimed. The first claim on PostgreSQL parks what \
         is behind its key.\n",
        thousands(COUNT as f64)
    );
    Ok(())
}

async fn measure<D: Database>(rows: &mut Vec<Vec<String>>) -> Result<()> {
    let (plain, keyed) = (D::create().await?, D::create().await?);
    plain.fill(COUNT, 0).await?;
    keyed.fill(COUNT, KEYS).await?;
    let first = claim(&keyed).await?;
    claim(&plain).await?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..CLAIMS {
        without.push(claim(&plain).await?);
        with.push(claim(&keyed).await?);
    }
    let ratio = Spread::of(with.iter().copied()).median / Spread::of(without.iter().copied()).median;
    rows.push(vec![
        D::NAME.to_owned(),
        format!("{:.2}", Spread::of(without)),
        format!("{:.2}", Spread::of(with)),
        format!("{ratio:.2}"),
        format!("{first:.1}"),
    ]);
    plain.destroy().await?;
    keyed.destroy().await
}

/// Claims ten, completes them, and returns how many milliseconds the claim took.
async fn claim<D: Database>(database: &D) -> Result<f64> {
    let wanted = [Wanted { handler: HANDLER, event: EVENT, version: 1, limit: 10 }];
    let claim = Claim { owner: Uuid::nil(), lease: Duration::from_secs(600), wanted: &wanted };
    let store = database.outbox().store();
    let began = Instant::now();
    let claimed = store.claim(&claim).await?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    assert_eq!(claimed.len(), KEYS, "one of each key");
    let leases: Vec<_> = claimed.iter().map(|claimed| claimed.lease).collect();
    store.complete(&leases, false).await?;
    Ok(took)
}
