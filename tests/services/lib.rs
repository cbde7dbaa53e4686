//! What a process of a service does that tests kill.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use durable_tests::{Database, Hook, Postgres, Sqlite, Watched};
use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use mediator_nats::NatsBridge;
use mediator_outbox::Outbox;
use mediator_outbox::store::Store as _;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, SqliteConnection};
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

const EFFECT: &str = "INSERT INTO effect (handler, key, number) VALUES ('handled', '', $1)";

/// A database of a service: the handlers that borrow its connections.
pub trait Home: Database {
    /// Binds the handler of a service.
    fn handle(builder: MediatorBuilder, side: Side) -> MediatorBuilder;
}

macro_rules! home {
    ($Database:ident, $Connection:ident) => {
        impl Home for $Database {
            fn handle(builder: MediatorBuilder, side: Side) -> MediatorBuilder {
                #[event_handler(durable, manual, name = "left.handle")]
                async fn of_the_left(event: &RightHappened, tx: &mut $Connection) -> sqlx::Result<()> {
                    sqlx::query(EFFECT).bind(event.number).execute(tx).await.map(|_| ())
                }

                #[event_handler(durable, manual, name = "right.handle")]
                async fn of_the_right(event: &LeftHappened, tx: &mut $Connection) -> sqlx::Result<()> {
                    sqlx::query(EFFECT).bind(event.number).execute(tx).await.map(|_| ())
                }

                match side {
                    Side::Left => builder.bind_fn(of_the_left),
                    Side::Right => builder.bind_fn(of_the_right),
                }
            }
        }
    };
}

home!(Sqlite, SqliteConnection);
home!(Postgres, PgConnection);

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
    if plan.database.starts_with("sqlite:") {
        run_on(Sqlite::connect(&plan.database).await, plan, &stop).await
    } else {
        run_on(Postgres::connect(&plan.database).await, plan, &stop).await
    }
}

async fn run_on<D: Home>(database: D, plan: Plan, stop: &Notify) -> anyhow::Result<()> {
    let outbox = Outbox::in_store(Watched::new(database.store().await?, late_acknowledgements(&plan)));
    let nats = connect(&plan).await?;
    let builder = Mediator::builder().outbox(outbox.clone()).external(nats.clone());
    let mediator = D::handle(builder, plan.side).build()?;
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
async fn publish<D: Home>(
    plan: &Plan,
    database: &D,
    outbox: &Outbox<Watched<D::Store>>,
    mediator: &Mediator,
) -> anyhow::Result<()> {
    // Not through the outbox, by which commits may be late.
    let store = database.store().await?;
    let numbers: Vec<_> = (database.last_happened().await + 1..=plan.publishes).collect();
    for numbers in numbers.chunks(AT_ONCE as usize) {
        let mut tx = store.begin_for_user().await?;
        for &number in numbers {
            D::happen(&mut tx, number).await?;
            let publisher = mediator.with(&mut *tx);
            match plan.side {
                Side::Left => publisher.publish(LeftHappened::new(number)).await?,
                Side::Right => publisher.publish(RightHappened::new(number)).await?,
            }
        }
        D::Store::commit(tx).await?;
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
