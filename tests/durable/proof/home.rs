//! A database for a test, and what every test asks of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use durable_tests::{Database, Journal, Plan, Postgres, Sqlite};
use mediator_core::Mediator;
use mediator_outbox::store::Store;
use mediator_outbox::{Outbox, State};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::support::Schema;

/// How long something may take that ends in any case, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Leases of processes that are killed: others wait for their end.
pub(crate) const LEASE: Duration = Duration::from_millis(500);

/// A server has a hundred connections, and some tests need a few dozen of them.
static AT_A_TIME: Semaphore = Semaphore::const_new(2);

/// Can be had for a test.
pub(crate) trait Housed: Database {
    /// One without tables; `None` if there is none to be had. The schema is to be dropped.
    fn open(test: &str, folder: &Path) -> impl Future<Output = Option<(Self, Option<Schema>)>> + Send;
}

impl Housed for Sqlite {
    async fn open(_test: &str, folder: &Path) -> Option<(Self, Option<Schema>)> {
        Some((Self::connect(&format!("sqlite:{}", folder.join("proof.db").display())).await, None))
    }
}

impl Housed for Postgres {
    async fn open(test: &str, _folder: &Path) -> Option<(Self, Option<Schema>)> {
        let schema = Schema::for_test(test).await?;
        Some((Self::connect(&schema.url()).await, Some(schema)))
    }
}

/// What a test has.
pub(crate) struct Home<D: Database> {
    pub(crate) database: D,
    pub(crate) journal: Journal,
    pub(crate) folder: TempDir,
}

/// Runs a test with a database of its own, which is dropped behind it.
pub(crate) fn run<D: Housed, F>(name: &'static str, test: impl FnOnce(Home<D>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let _turn = match D::NAME {
            "postgres" => Some(AT_A_TIME.acquire().await.expect("nobody closes it")),
            _ => None,
        };
        let folder = tempfile::tempdir().expect("a folder");
        let Some((database, schema)) = D::open(name, folder.path()).await else { return };
        database.prepare().await;
        let journal = Journal::open(&folder.path().join("journal"));
        let test = test(Home { database, journal, folder });
        match schema {
            Some(schema) => schema.drop_after(test).await,
            None => test.await,
        }
    });
}

impl<D: Database> Home<D> {
    /// What a process does; it neither publishes nor delivers yet.
    pub(crate) fn plan(&self, handlers: &[&str]) -> Plan {
        Plan {
            url: self.database.url(),
            journal: self.folder.path().join("journal"),
            handlers: handlers.iter().map(|&handler| handler.to_owned()).collect(),
            publishes: 0..0,
            works: false,
            lease: LEASE,
            concurrency: 4,
            attempts: 10_000,
            halts: None,
        }
    }

    /// A mediator with an outbox of its own, as in a process of its own.
    pub(crate) async fn mediator(&self, handlers: &[&str]) -> (Outbox<D::Store>, Mediator) {
        let outbox = Outbox::in_store(self.database.store().await.expect("tables"));
        let builder = Mediator::builder().without_discovery().provide(self.journal.clone());
        let mediator = D::bind(builder.outbox(outbox.clone()), handlers).build().expect("a mediator");
        (outbox, mediator)
    }

    /// Delivers in this process until nothing is unfinished.
    pub(crate) async fn finish(&self, handlers: &[&str]) {
        let (outbox, mediator) = self.mediator(handlers).await;
        let worker = outbox.worker(&mediator).retry_attempts(10_000).retry_base(Duration::from_millis(5)).start();
        self.until_finished(&outbox).await;
        worker.shutdown(Duration::from_secs(30)).await;
    }

    /// Waits until nothing is unfinished; others deliver. It may take as long as it goes on.
    pub(crate) async fn until_finished<S: Store>(&self, outbox: &Outbox<S>) {
        let (mut least, mut deadline) = (u64::MAX, Instant::now());
        loop {
            let unfinished = outbox.stats().await.expect("statistics").unfinished();
            match unfinished {
                0 => return,
                _ if unfinished < least => (least, deadline) = (unfinished, Instant::now() + PATIENCE),
                _ => assert!(Instant::now() < deadline, "{unfinished} deliveries are left, and nothing happens"),
            }
            sleep(Duration::from_millis(if unfinished < 1_000 { 20 } else { 500 })).await;
        }
    }

    /// Every effect within a transaction has happened once, of everything or of nothing; those outside of one at least once.
    /// Returns what was delivered.
    pub(crate) async fn check(&self, acknowledged: &BTreeSet<i64>) -> BTreeSet<i64> {
        let once = sorted(self.database.effects("once").await);
        let delivered: BTreeSet<_> = once.iter().copied().collect();
        assert_eq!(once.len(), delivered.len(), "something ran twice: {once:?}");
        assert_eq!(once, sorted(self.database.effects("followed").await), "what follows happens once, too");
        let runs = self.journal.runs();
        let least =
            runs.iter().filter(|run| run.handler == "least" && run.ended.is_some_and(|(_, succeeded)| succeeded));
        assert_eq!(least.map(|run| run.number).collect::<BTreeSet<_>>(), delivered, "at least once");
        let lost: Vec<_> = acknowledged.difference(&delivered).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let happened = sorted(self.database.numbers("SELECT number FROM happened").await);
        let lent: Vec<_> = once.iter().copied().filter(|number| number % 2 != 0).collect();
        assert_eq!(happened, lent, "what was committed is delivered, and nothing else");
        delivered
    }

    /// No delivery was given up, and none is left.
    pub(crate) async fn nothing_is_left(&self) {
        let outbox = Outbox::in_store(self.database.store().await.expect("tables"));
        let left = outbox.deliveries().list().await.expect("a list");
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(outbox.deliveries().in_state(State::Dead).count().await.expect("a count"), 0);
    }
}

fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}

/// Asks until the answer is yes.
///
/// For what other processes do, which nobody announces.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it took too long until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A number from the environment.
pub(crate) fn from_env(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |given| given.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// How often chance is given a chance, where it says `MEDIATOR_TEST_ROUNDS`.
pub(crate) fn rounds() -> u64 {
    from_env("MEDIATOR_TEST_ROUNDS", 10)
}

/// Random numbers, by `MEDIATOR_TEST_SEED` or a printed seed.
pub(crate) fn random() -> fastrand::Rng {
    let seed = from_env("MEDIATOR_TEST_SEED", fastrand::u64(..));
    println!("MEDIATOR_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
