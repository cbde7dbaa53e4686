//! Two services, a database each, and a NATS server of their own; all of them are killed.

/// Makes tests of each function of this module, which is told the databases: the right service's is of each kind, and the left
/// one's a file.
macro_rules! on_each_database {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    super::on_sqlite(name, super::$test::<durable_tests::Sqlite>).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    super::on_postgres(name, super::$test::<durable_tests::Postgres>).await;
                }
            )*
        }
    };
}

#[path = "../../../mediator-outbox/tests/support/mod.rs"]
mod postgresql;
mod process;
#[path = "../../../mediator-nats/tests/support/mod.rs"]
mod support;

use std::time::Duration;

use async_nats::jetstream;
use durable_tests::Sqlite;
use mediator_outbox::{Outbox, State};
use process::Process;
use services_tests::{Home, Plan, Side};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use postgresql::Schema;
use support::Server;

on_each_database! {
    every_event_is_handled_by_the_other_service_once_whatever_is_killed
    three_nodes_of_a_service_share_what_arrives
}

/// How long it may take until another event is handled.
const PATIENCE: Duration = Duration::from_secs(120);

/// A number from the environment.
fn from_env(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |given| given.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// How many events each service publishes, where it says `MEDIATOR_TEST_EVENTS`.
fn events() -> i64 {
    from_env("MEDIATOR_TEST_EVENTS", 1_000) as i64
}

/// The addresses of the databases of the left and the right service.
type Databases = [String; 2];

async fn on_sqlite<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Server, Databases) -> F) {
    let Some(server) = Server::start(name).await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    test(server, [file(&folder, Side::Left), file(&folder, Side::Right)]).await;
}

async fn on_postgres<F: Future<Output = ()> + 'static>(name: &str, test: impl FnOnce(Server, Databases) -> F) {
    let Some(server) = Server::start(name).await else { return };
    let Some(schema) = Schema::for_test(name).await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let test = test(server, [file(&folder, Side::Left), schema.url()]);
    schema.drop_after(test).await;
}

fn file(folder: &TempDir, side: Side) -> String {
    format!("sqlite:{}", folder.path().join(format!("{}.db", side.name())).display())
}

/// A service with its database.
struct Service<D> {
    plan: Plan,
    database: D,
}

impl<D: Home> Service<D> {
    async fn new(side: Side, url: String, server: &Server) -> Self {
        let database = D::connect(&url).await;
        database.prepare().await;
        let (nats, publishes, ack_wait) = (server.url(), events(), Duration::from_secs(1));
        Self { plan: Plan { side, database: url, nats, publishes, ack_wait, late: 0 }, database }
    }

    async fn count(&self, table: &str) -> i64 {
        self.database.numbers(&format!("SELECT count(*) FROM {table}")).await[0]
    }

    /// What the other service has published was handled here, each once; and nothing is left or dead.
    async fn check(&self) {
        let mut handled = self.database.effects("handled").await;
        handled.sort_unstable();
        let twice = handled.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(twice, 0, "{twice} events had their effect twice");
        assert_eq!(handled, (1..=events()).collect::<Vec<_>>(), "every event, once");
        let outbox = Outbox::in_store(self.database.store().await.expect("tables"));
        let dead = outbox.deliveries().in_state(State::Dead).list().await.expect("a list");
        assert!(dead.is_empty(), "{dead:?}");
    }
}

/// Waits until so many events are handled, as long as it goes on.
async fn until_handled(count: i64, handled: impl AsyncFn() -> i64) {
    let (mut most, mut deadline) = (0, Instant::now() + PATIENCE);
    loop {
        let handled = handled().await;
        if handled >= count {
            return;
        }
        if handled > most {
            (most, deadline) = (handled, Instant::now() + PATIENCE);
        }
        assert!(Instant::now() < deadline, "{handled} events are handled, and nothing happens");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Publishes messages of the stream once more, without what would let the server recognize them.
async fn repeat(server: &Server, random: &mut fastrand::Rng) -> Result<u32, async_nats::Error> {
    let context = jetstream::new(async_nats::connect(server.url()).await?);
    let stream = context.get_stream("MEDIATOR").await?;
    let last = stream.cached_info().state.last_sequence;
    let mut repeated = 0;
    for _ in 0..last.min(20) {
        let message = stream.get_raw_message(random.u64(1..=last)).await?;
        let mut headers = async_nats::HeaderMap::new();
        for (name, values) in message.headers.iter().filter(|(name, _)| name.to_string() != "Nats-Msg-Id") {
            values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
        }
        context.publish_with_headers(message.subject, headers, message.payload).await?.await?;
        repeated += 1;
    }
    Ok(repeated)
}

async fn every_event_is_handled_by_the_other_service_once_whatever_is_killed<D: Home>(
    mut server: Server,
    [left, right]: Databases,
) {
    let seed = from_env("MEDIATOR_TEST_SEED", fastrand::u64(..));
    println!("MEDIATOR_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let rounds = from_env("MEDIATOR_TEST_ROUNDS", 10);
    let mut left = Service::<Sqlite>::new(Side::Left, left, &server).await;
    let mut right = Service::<D>::new(Side::Right, right, &server).await;
    (left.plan.late, right.plan.late) = (5, 5);
    let plans = [&left.plan, &right.plan];
    let mut processes = plans.map(Process::start);
    let (mut kills, mut crashes, mut repeated) = (0, 0, 0);
    for _ in 0..rounds {
        // A random moment is what is wanted.
        sleep(Duration::from_millis(random.u64(50..1_000))).await;
        match random.u8(..4) {
            0 => {
                server.kill().await;
                sleep(Duration::from_millis(random.u64(..1_000))).await;
                server.restart().await;
                crashes += 1;
            }
            // JetStream may not have recovered yet; then there is nothing to repeat.
            1 => repeated += repeat(&server, &mut random).await.unwrap_or(0),
            side => {
                let side = usize::from(side) - 2;
                processes[side].kill().await;
                processes[side] = Process::start(plans[side]);
                kills += 1;
            }
        }
    }
    until_handled(2 * events(), async || left.count("effect").await + right.count("effect").await).await;
    repeated += repeat(&server, &mut random).await.expect("the server is there");
    let mut received_again = 0;
    for process in processes {
        received_again += process.stop().await.again;
    }
    assert_eq!([left.count("happened").await, right.count("happened").await], [events(), events()]);
    left.check().await;
    right.check().await;
    println!(
        "{} events each way, {kills} services and {crashes} servers killed, {repeated} messages published twice; \
         {received_again} received again by the last processes",
        events()
    );
}

async fn three_nodes_of_a_service_share_what_arrives<D: Home>(server: Server, [left, right]: Databases) {
    let mut left = Service::<Sqlite>::new(Side::Left, left, &server).await;
    let mut right = Service::<D>::new(Side::Right, right, &server).await;
    right.plan.publishes = 0;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let mut node = Process::start(&right.plan);
        node.until("ready").await;
        nodes.push(node);
    }
    left.plan.publishes = events();
    let publisher = Process::start(&left.plan);
    until_handled(events(), async || right.count("effect").await).await;
    publisher.stop().await;
    let mut shares = Vec::new();
    for node in nodes {
        shares.push(node.stop().await.recorded);
    }
    right.check().await;
    println!("of {} events, the three nodes recorded {shares:?}", events());
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    assert_eq!(shares.iter().sum::<u64>(), events() as u64);
}
