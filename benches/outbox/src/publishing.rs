//! What it costs to record deliveries in the user's transaction.

use anyhow::Result;

use crate::database::Database;
use crate::measure::{ROUNDS, Spread, rate, timed};
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work;

/// How many are inserted or published in each round.
const COUNT: usize = 5_000;

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    for each in [100, 1] {
        measure::<Sqlite>(each, &mut rows).await?;
        measure::<Postgres>(each, &mut rows).await?;
    }
    table(
        "Publishing",
        &[
            "",
            "publishes in a transaction",
            "bare INSERTs per second",
            "one durable handler over a bare INSERT (at most 1.3)",
            "five durable handlers over one (at most 1.5)",
        ],
        &rows,
    );
    println!(
        "A bare INSERT has the same bytes: one row with the columns of both tables, a unique event id and the index of what is due.\n"
    );
    Ok(())
}

async fn measure<D: Database>(each: usize, rows: &mut Vec<Vec<String>>) -> Result<()> {
    let database = D::create().await?;
    let (one, five) = (work::one_handler(database.outbox()), work::five_handlers(database.outbox()));
    let mut times = [const { Vec::new() }; 3];
    // The first round warms up.
    for round in 0..=ROUNDS {
        let now = [
            timed(database.insert(COUNT / each, each)).await?,
            timed(database.publish(&one, COUNT / each, each)).await?,
            timed(database.publish(&five, COUNT / each, each)).await?,
        ];
        database.empty().await?;
        if round > 0 {
            times.iter_mut().zip(now).for_each(|(times, now)| times.push(now));
        }
    }
    let [bare, one, five] = times;
    rows.push(vec![
        D::NAME.to_owned(),
        each.to_string(),
        rate(COUNT, &bare),
        Spread::of_ratios(&one, &bare).to_string(),
        Spread::of_ratios(&five, &one).to_string(),
    ]);
    database.destroy().await
}
