//! Two services, a database each, and a NATS server of their own; all of them are killed.

mod process;
#[path = "../../../mediator-nats/tests/support/mod.rs"]
mod support;

use std::time::Duration;

use async_nats::jetstream;
use durable_tests::{Database as _, Sqlite};
use mediator_outbox::{Outbox, State};
use process::Process;
use services_tests::{Plan, Side};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use support::Server;

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

/// A service with its database.
struct Service {
    plan: Plan,
    database: Sqlite,
}

impl Service {
    async fn new(side: Side, folder: &TempDir, server: &Server) -> Self {
        let database = format!("sqlite:{}", folder.path().join(format!("{}.db", side.name())).display());
        let ack_wait = Duration::from_secs(1);
        let (nats, publishes) = (server.url(), events());
        let plan = Plan { side, database: database.clone(), nats, publishes, ack_wait, late: 0 };
        let database = Sqlite::connect(&database).await;
        database.prepare().await;
        Self { plan, database }
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

/// Waits until everything is handled, as long as it goes on.
async fn until_handled(services: &[&Service], mut meanwhile: impl AsyncFnMut()) {
    let (mut most, mut deadline) = (0, Instant::now() + PATIENCE);
    loop {
        let mut handled = 0;
        for service in services {
            handled += service.count("effect").await;
        }
        if handled >= events() * services.len() as i64 {
            return;
        }
        if handled > most {
            (most, deadline) = (handled, Instant::now() + PATIENCE);
        }
        assert!(Instant::now() < deadline, "{handled} events are handled, and nothing happens");
        meanwhile().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_handled_by_the_other_service_once_whatever_is_killed() {
    let Some(mut server) = Server::start("every_event_is_handled_by_the_other_service_once_whatever_is_killed").await
    else {
        return;
    };
    let seed = from_env("MEDIATOR_TEST_SEED", fastrand::u64(..));
    println!("MEDIATOR_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let rounds = from_env("MEDIATOR_TEST_ROUNDS", 10);
    let folder = tempfile::tempdir().expect("a folder");
    let mut services = Vec::new();
    for side in [Side::Left, Side::Right] {
        let mut service = Service::new(side, &folder, &server).await;
        service.plan.late = 5;
        services.push(service);
    }
    let mut processes: Vec<_> = services.iter().map(|service| Process::start(&service.plan)).collect();
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
                processes[side] = Process::start(&services[side].plan);
                kills += 1;
            }
        }
    }
    let services: Vec<_> = services.iter().collect();
    until_handled(&services, async || {}).await;
    repeated += repeat(&server, &mut random).await.expect("the server is there");
    let mut received_again = 0;
    for process in processes {
        received_again += process.stop().await.again;
    }
    for service in services {
        assert_eq!(service.count("happened").await, events());
        service.check().await;
    }
    println!(
        "{} events each way, {kills} services and {crashes} servers killed, {repeated} messages published twice; \
         {received_again} received again by the last processes",
        events()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_of_a_service_share_what_arrives() {
    let Some(server) = Server::start("three_nodes_of_a_service_share_what_arrives").await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut left = Service::new(Side::Left, &folder, &server).await;
    let mut right = Service::new(Side::Right, &folder, &server).await;
    right.plan.publishes = 0;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let mut node = Process::start(&right.plan);
        node.until("ready").await;
        nodes.push(node);
    }
    left.plan.publishes = events();
    let publisher = Process::start(&left.plan);
    until_handled(&[&right], async || {}).await;
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
