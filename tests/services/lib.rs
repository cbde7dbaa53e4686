//! What a process of a service does that tests kill.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use durable_tests::{Database as _, Hook, Sqlite, Watched};
use mediator_core::prelude::*;
use mediator_nats::NatsBridge;
use mediator_outbox::Outbox;
use mediator_outbox::store::SqliteStore;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Notify;
use tokio::time::sleep;

/// What the left service publishes.
#[event(name = "left.happened", external)]
#[derive(Debug, Serialize, Deserialize)]
pub struct LeftHappened {
    /// Its number.
    pub number: i64,
}

/// What the right service publishes.
#[event(name = "right.happened", external)]
#[derive(Debug, Serialize, Deserialize)]
pub struct RightHappened {
    /// Its number.
    pub number: i64,
}

#[event_handler(durable, manual, name = "left.handle")]
async fn of_the_left(event: &RightHappened, tx: &mut SqliteConnection) -> sqlx::Result<()> {
    affect(tx, event.number).await
}

#[event_handler(durable, manual, name = "right.handle")]
async fn of_the_right(event: &LeftHappened, tx: &mut SqliteConnection) -> sqlx::Result<()> {
    affect(tx, event.number).await
}

async fn affect(tx: &mut SqliteConnection, number: i64) -> sqlx::Result<()> {
    let insert = "INSERT INTO effect (handler, key, number) VALUES ('handled', '', ?1)";
    sqlx::query(insert).bind(number).execute(tx).await.map(|_| ())
}

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Handles what the right one publishes.
    Left,
    /// Handles what the left one publishes.
    Right,
}

impl Side {
    /// The name of the service.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What a process does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Whose process it is.
    pub side: Side,
    /// The address of its database.
    pub database: String,
    /// The address of the server.
    pub nats: String,
    /// It publishes the numbers up to this one that were not published before.
    pub publishes: i64,
    /// After what time the server delivers again what was not acknowledged.
    pub ack_wait: Duration,
    /// In percent, how many batches are acknowledged later than that.
    pub late: u8,
}

/// How many events are published in one transaction.
const AT_ONCE: i64 = 10;

/// Does what the plan says, until the test says `stop` or is gone.
///
/// # Errors
///
/// When the database cannot be used, or a publish fails.
pub async fn run(plan: Plan) -> anyhow::Result<()> {
    let stop = Arc::new(Notify::new());
    std::thread::spawn({
        let stop = stop.clone();
        move || listen(&stop)
    });
    let database = Sqlite::connect(&plan.database).await;
    let outbox = Outbox::in_store(Watched::new(database.store().await?, late_acknowledgements(&plan)));
    let nats = connect(&plan).await?;
    let builder = Mediator::builder().outbox(outbox.clone()).external(nats.clone());
    let builder = match plan.side {
        Side::Left => builder.bind_fn(of_the_left),
        Side::Right => builder.bind_fn(of_the_right),
    };
    let mediator = builder.build()?;
    let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).retry_base(Duration::from_millis(20)).start();
    let consumer = loop {
        match nats.consumer(&mediator, &outbox).ack_wait(plan.ack_wait).start().await {
            Ok(consumer) => break consumer,
            // The server may be away.
            Err(mediator_nats::NatsError::JetStream { .. }) => sleep(Duration::from_millis(50)).await,
            Err(error) => return Err(error.into()),
        }
    };
    say("ready");
    publish(&plan, &database, &outbox, &mediator).await?;
    stop.notified().await;
    let stats = consumer.stats();
    consumer.shutdown(Duration::from_secs(30)).await;
    worker.shutdown(Duration::from_secs(30)).await;
    say(&format!("recorded {} and {} again", stats.recorded, stats.repeated));
    Ok(())
}

/// With a window so short that what is published again after a crash may be in the stream twice.
async fn connect(plan: &Plan) -> anyhow::Result<NatsBridge> {
    loop {
        let builder = NatsBridge::builder(plan.side.name()).duplicate_window(Duration::from_millis(500));
        match builder.publish_timeout(Duration::from_secs(1)).connect(&plan.nats).await {
            Ok(nats) => return Ok(nats),
            Err(error @ mediator_nats::NatsError::Mismatch { .. }) => return Err(error.into()),
            // The server may be away.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Between the commit of what was received and its acknowledgement, now and then more time passes than the server waits.
fn late_acknowledgements(plan: &Plan) -> Hook {
    let (late, wait) = (plan.late, plan.ack_wait + Duration::from_millis(200));
    Arc::new(move |step| {
        Box::pin(async move {
            if step == "after the user's commit" && fastrand::u8(..100) < late {
                sleep(wait).await;
            }
            Ok(())
        })
    })
}

/// Continues where an earlier process has stopped.
async fn publish(
    plan: &Plan,
    database: &Sqlite,
    outbox: &Outbox<Watched<SqliteStore>>,
    mediator: &Mediator,
) -> anyhow::Result<()> {
    let last = database.numbers("SELECT coalesce(max(number), 0) FROM happened").await[0];
    let numbers: Vec<_> = (last + 1..=plan.publishes).collect();
    for numbers in numbers.chunks(AT_ONCE as usize) {
        let mut connection = database.pool.acquire().await?;
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        for &number in numbers {
            Sqlite::happen(&mut tx, number).await?;
            let publisher = mediator.with(&mut *tx);
            match plan.side {
                Side::Left => publisher.publish(LeftHappened::new(number)).await?,
                Side::Right => publisher.publish(RightHappened::new(number)).await?,
            }
        }
        tx.commit().await?;
        outbox.wake().await;
    }
    say("published");
    Ok(())
}

/// Hears what the test says.
fn listen(stop: &Notify) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        assert_eq!(line, "stop");
        stop.notify_one();
    }
    // The test is gone.
    std::process::exit(0);
}

fn say(line: &str) {
    // Whoever listened may be gone.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
