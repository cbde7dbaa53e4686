//! What a process does that is to be killed or paused.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mediator_core::Mediator;
use mediator_outbox::Outbox;
use mediator_outbox::store::Store;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::database::{Database, Postgres, Sqlite};
use crate::handlers::Happened;
use crate::journal::Journal;
use crate::point::{go_on, halt_at, reach, say};
use crate::watched::{Hook, Watched};

/// What it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The address of the database.
    pub url: String,
    /// Where the journal is.
    pub journal: PathBuf,
    /// The handlers that it knows.
    pub handlers: Vec<String>,
    /// The numbers that it publishes: the odd ones with a row of its own in one transaction, the even ones alone.
    pub publishes: std::ops::Range<i64>,
    /// Whether it delivers.
    pub works: bool,
    /// The length of leases.
    pub lease: Duration,
    /// How many handlers run at a time.
    pub concurrency: usize,
    /// How often a delivery is attempted.
    pub attempts: u32,
    /// Where it halts, for the test to kill or pause it.
    pub halts: Option<String>,
}

impl Plan {
    fn handlers(&self) -> Vec<&str> {
        self.handlers.iter().map(String::as_str).collect()
    }
}

/// Does what the plan says, until the test says `stop` or is gone.
///
/// # Errors
///
/// When the database cannot be used, or a publish fails.
pub async fn run(mut plan: Plan) -> anyhow::Result<()> {
    let stop = Arc::new(Notify::new());
    std::thread::spawn({
        let stop = stop.clone();
        move || listen(&stop)
    });
    if let Some(point) = plan.halts.take() {
        halt_at(point);
    }
    if plan.url.starts_with("sqlite:") {
        run_on(Sqlite::connect(&plan.url).await, plan, &stop).await
    } else {
        run_on(Postgres::connect(&plan.url).await, plan, &stop).await
    }
}

/// Hears what the test says.
fn listen(stop: &Notify) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match &*line {
            "go on" => go_on(),
            "stop" => stop.notify_one(),
            unknown => panic!("the test said `{unknown}`"),
        }
    }
    // The test is gone.
    std::process::exit(0);
}

async fn run_on<D: Database>(database: D, plan: Plan, stop: &Notify) -> anyhow::Result<()> {
    let hook: Hook = Arc::new(|step| {
        Box::pin(async move {
            reach(step).await;
            Ok(())
        })
    });
    let outbox = Outbox::in_store(Watched::new(database.store().await?, hook));
    let builder = Mediator::builder().without_discovery().provide(Journal::open(&plan.journal));
    let mediator = D::bind(builder.outbox(outbox.clone()), &plan.handlers()).build()?;
    let worker = outbox.worker(&mediator).lease(plan.lease).concurrency(plan.concurrency);
    let worker = worker.retry_attempts(plan.attempts).retry_base(Duration::from_millis(5));
    let worker = plan.works.then(|| worker.start());
    say("ready");
    for number in plan.publishes {
        publish::<D, _>(&outbox, &mediator, number).await.with_context(|| format!("publish {number}"))?;
        say(&format!("published {number}"));
    }
    stop.notified().await;
    if let Some(worker) = worker {
        worker.shutdown(Duration::from_secs(30)).await;
    }
    say("stopped");
    Ok(())
}

async fn publish<D: Database, S: Store<Connection = D::Connection>>(
    outbox: &Outbox<S>,
    mediator: &Mediator,
    number: i64,
) -> anyhow::Result<()> {
    if number % 2 == 0 {
        mediator.publish(Happened::new(number)).await?;
        return Ok(());
    }
    let mut tx = outbox.begin().await?;
    D::happen(&mut tx, number).await?;
    mediator.with(&mut *tx).publish(Happened::new(number)).await?;
    tx.commit().await?;
    Ok(())
}
