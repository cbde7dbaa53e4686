//! How fast deliveries are claimed and completed.

use anyhow::Result;

use crate::database::Database;
use crate::measure::{ROUNDS, Spread, rate, timed};
use crate::postgres::Postgres;
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work;

const COUNT: usize = 20_000;

pub async fn report() -> Result<()> {
    let mut rows = Vec::new();
    measure::<Sqlite>(&mut rows).await?;
    measure::<Postgres>(&mut rows).await?;
    table(
        "Delivering",
        &["", "by hand, batches of 100, per second", "a worker, per second", "share (at least 0.6)"],
        &rows,
    );
    println!(
        "By hand: three statements for each batch on one connection, which claim, read the events, and delete by id and token, \
         without keys, versions, order of locks or a second worker. The worker runs a handler that does nothing, eight at a time.\n"
    );
    Ok(())
}

async fn measure<D: Database>(rows: &mut Vec<Vec<String>>) -> Result<()> {
    let database = D::create().await?;
    let mediator = work::one_handler(database.outbox());
    let (mut by_hand, mut by_worker) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        database.fill(COUNT, 0).await?;
        let hand = timed(database.deliver_by_hand(work::ignore)).await?;
        database.empty().await?;
        database.fill(COUNT, 0).await?;
        let worker = timed(async {
            let drained = database.outbox().worker(&mediator).drain().await?;
            assert_eq!(drained.done, COUNT as u64);
            Ok(())
        })
        .await?;
        database.empty().await?;
        if round > 0 {
            by_hand.push(hand);
            by_worker.push(worker);
        }
    }
    rows.push(vec![
        D::NAME.to_owned(),
        rate(COUNT, &by_hand),
        rate(COUNT, &by_worker),
        Spread::of_ratios(&by_hand, &by_worker).to_string(),
    ]);
    database.destroy().await
}
