//! PostgreSQL that goes away, at any byte.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_tests::{Database as _, Happened, Postgres};
use mediator_core::Mediator;
use mediator_outbox::{Outbox, PostgresOutbox};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::home::{Home, random, rounds, run, until};

const HANDLERS: &[&str] = &["once", "least", "followed"];

/// Passes on what clients and the server say to each other, and ends that after a number of bytes.
struct Proxy {
    port: u16,
    /// How many connections have come to that.
    cuts: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

/// How many bytes the next connection may have; `None` is without a limit.
type Limits = Arc<Mutex<dyn FnMut() -> Option<u64> + Send>>;

/// How it ends.
#[derive(Clone, Copy)]
enum End {
    /// Both sides are told.
    Cut,
    /// Nobody is told, as when a machine is gone. When the client has given up, the server hears of it, as it would by keep-alive
    /// packets: what it holds for a statement that it has only a part of would be locked for ever.
    Silence,
}

impl Proxy {
    async fn before(server: String, limits: Limits, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(AtomicU64::new(0));
        let mut accepting = JoinSet::new();
        accepting.spawn({
            let cuts = cuts.clone();
            async move {
                let mut connections = JoinSet::new();
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    let limit = limits.lock().unwrap()();
                    let (server, cuts) = (server.clone(), cuts.clone());
                    connections.spawn(async move {
                        let Ok(server) = TcpStream::connect(server).await else { return };
                        pass_on(client, server, limit.unwrap_or(u64::MAX), async |client| {
                            cuts.fetch_add(1, Ordering::Relaxed);
                            if matches!(end, End::Silence) {
                                until_closed(client).await;
                            }
                        })
                        .await;
                    });
                }
            }
        });
        Self { port, cuts, _accepting: accepting }
    }
}

/// Until one side ends it, or the limit is reached, in both directions together.
async fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    limit: u64,
    at_the_limit: impl AsyncFnOnce(&mut TcpStream),
) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let left = AtomicU64::new(limit);
    let is_at_the_limit = tokio::select! {
        is_it = one_way(&mut from_client, &mut to_server, &left) => is_it,
        is_it = one_way(&mut from_server, &mut to_client, &left) => is_it,
    };
    if is_at_the_limit {
        at_the_limit(&mut client).await;
    }
}

/// Until a client closes its connection.
async fn until_closed(client: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while client.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

async fn one_way(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), left: &AtomicU64) -> bool {
    let mut buffer = [0; 4096];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return false };
        let allowed = left.load(Ordering::Relaxed).min(count as u64);
        left.fetch_sub(allowed, Ordering::Relaxed);
        let passed = usize::try_from(allowed).expect("no more than the buffer holds");
        if to.write_all(&buffer[..passed]).await.is_err() || passed < count {
            return passed < count;
        }
    }
}

/// The same database by way of a proxy.
async fn by_way_of(proxy: &Proxy, home: &Home<Postgres>) -> Postgres {
    let options = home.database.pool.connect_options();
    let direct = format!("{}:{}", options.get_host(), options.get_port());
    let url = home.database.url();
    assert!(url.contains(&direct), "{url} has {direct}");
    let url = url.replace(&direct, &format!("127.0.0.1:{}", proxy.port)).replace("sslmode=prefer", "sslmode=disable");
    Postgres::connect(&url).await
}

fn server(home: &Home<Postgres>) -> String {
    let options = home.database.pool.connect_options();
    format!("{}:{}", options.get_host(), options.get_port())
}

#[test]
fn connections_cut_off_at_any_byte_lose_nothing() {
    run::<Postgres, _>("network::connections_cut_off_at_any_byte_lose_nothing", |home| async move {
        let cuts = 3 * rounds();
        let mut random = random();
        let mut connections = 0;
        let limits: Limits = Arc::new(Mutex::new(move || {
            connections += 1;
            (connections <= cuts).then(|| random.u64(1..12_000))
        }));
        drop(home.database.store().await.unwrap());
        let proxy = Proxy::before(server(&home), limits, End::Cut).await;
        let database = by_way_of(&proxy, &home).await;
        let (direct_outbox, direct) = home.mediator(HANDLERS).await;
        let store = retried(async || database.store().await).await;
        let outbox = Outbox::in_store(store);
        let builder = Mediator::builder().without_discovery().provide(home.journal.clone());
        let mediator = Postgres::bind(builder.outbox(outbox.clone()), HANDLERS).build().unwrap();
        let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).retry_attempts(10_000);
        let worker = worker.retry_base(Duration::from_millis(5)).start();
        let mut published = BTreeSet::new();
        let mut numbers = (0..).map(|number| 2 * number);
        while proxy.cuts.load(Ordering::Relaxed) < cuts {
            for number in numbers.by_ref().take(8) {
                let publisher = if number % 4 == 0 { &direct } else { &mediator };
                if publisher.publish(Happened::new(number)).await.is_ok() {
                    published.insert(number);
                }
            }
            home.until_finished(&direct_outbox).await;
        }
        worker.shutdown(Duration::from_secs(60)).await;
        let delivered = home.check(&published).await;
        home.nothing_is_left().await;
        println!("{} cuts, {} events of {} are delivered", cuts, delivered.len(), published.len());
    });
}

#[test]
fn a_worker_whose_server_falls_silent_goes_on_with_another_connection() {
    const TEST: &str = "network::a_worker_whose_server_falls_silent_goes_on_with_another_connection";
    run::<Postgres, _>(TEST, |home| async move {
        // More than there are connections at a time.
        const SILENT: u64 = 8;
        let mut random = random();
        let mut connections = 0;
        let limits: Limits = Arc::new(Mutex::new(move || {
            connections += 1;
            (2..SILENT + 2).contains(&connections).then(|| random.u64(1..12_000))
        }));
        let proxy = Proxy::before(server(&home), limits, End::Silence).await;
        let options = PgConnectOptions::clone(&by_way_of(&proxy, &home).await.pool.connect_options());
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(1));
        let outbox = retried(async || PostgresOutbox::new(pool.clone().connect_lazy_with(options.clone())).await).await;
        let builder = Mediator::builder().without_discovery().provide(home.journal.clone());
        let mediator = Postgres::bind(builder.outbox(outbox.clone()), &["least"]).build().unwrap();
        let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).retry_attempts(10_000);
        let worker = worker.retry_base(Duration::from_millis(5)).start();
        let (direct_outbox, direct) = home.mediator(&["least"]).await;
        let mut numbers = 0..;
        while proxy.cuts.load(Ordering::Relaxed) < SILENT {
            for number in numbers.by_ref().take(10) {
                direct.publish(Happened::new(number)).await.unwrap();
            }
            home.until_finished(&direct_outbox).await;
        }
        worker.shutdown(Duration::from_secs(60)).await;
        home.nothing_is_left().await;
    });
}

/// Tries something until it succeeds.
async fn retried<T, E>(mut what: impl AsyncFnMut() -> Result<T, E>) -> T {
    let mut found = None;
    until("it succeeds", async || {
        found = what().await.ok();
        found.is_some()
    })
    .await;
    found.expect("it succeeded")
}

#[test]
fn terminated_sessions_lose_nothing() {
    run::<Postgres, _>("network::terminated_sessions_lose_nothing", |home| async move {
        const TERMINATE: &str = "\
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'proof_of_' || current_schema() AND pid <> pg_backend_pid()";
        let schema = schema(&home).await;
        let url = format!("{}&application_name=proof_of_{schema}", home.database.url());
        let database = Postgres::connect(&url).await;
        let outbox = Outbox::in_store(database.store().await.unwrap());
        let builder = Mediator::builder().without_discovery().provide(home.journal.clone());
        let mediator = Postgres::bind(builder.outbox(outbox.clone()), HANDLERS).build().unwrap();
        let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).retry_attempts(10_000);
        let worker = worker.retry_base(Duration::from_millis(5)).start();
        let mut published = BTreeSet::new();
        let mut terminated = 0;
        for number in (0..).map(|number| 2 * number) {
            if mediator.publish(Happened::new(number)).await.is_ok() {
                published.insert(number);
            }
            if number % 8 == 0 {
                terminated += home.database.numbers(TERMINATE).await[0];
            }
            if terminated >= 10 * i64::try_from(rounds()).unwrap() {
                break;
            }
        }
        home.until_finished(&home.mediator(HANDLERS).await.0).await;
        worker.shutdown(Duration::from_secs(60)).await;
        let delivered = home.check(&published).await;
        home.nothing_is_left().await;
        println!("{terminated} sessions terminated, {} events delivered", delivered.len());
    });
}

async fn schema(home: &Home<Postgres>) -> String {
    sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&home.database.pool).await.unwrap()
}

#[test]
fn a_server_that_crashes_and_comes_back_has_lost_nothing() {
    crate::server::run("network::a_server_that_crashes_and_comes_back_has_lost_nothing", |server, home| async move {
        let (outbox, mediator) = home.mediator(HANDLERS).await;
        let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).retry_attempts(10_000);
        let worker = worker.retry_base(Duration::from_millis(5)).start();
        let server = Arc::new(server);
        let mut published = BTreeSet::new();
        let mut numbers = (0..).map(|number| 2 * number);
        for _ in 0..3 {
            for number in numbers.by_ref().take(20) {
                mediator.publish(Happened::new(number)).await.unwrap();
                published.insert(number);
            }
            let restart = tokio::task::spawn_blocking({
                let server = server.clone();
                move || server.crash_and_restart()
            });
            // Meanwhile it may fail; then it may have been recorded even so.
            for number in numbers.by_ref().take(20) {
                if mediator.publish(Happened::new(number)).await.is_ok() {
                    published.insert(number);
                }
            }
            restart.await.unwrap();
            retried(async || outbox.stats().await).await;
        }
        home.until_finished(&outbox).await;
        worker.shutdown(Duration::from_secs(60)).await;
        let delivered = home.check(&published).await;
        home.nothing_is_left().await;
        println!("3 crashes, {} events delivered", delivered.len());
    });
}
