//! Events on their way through NATS JetStream.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream::Stream};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mediator_core::prelude::*;
use mediator_nats::NatsBridge;
use mediator_outbox::store::Store;
use mediator_outbox::{ExternalBus as _, ExternalEvent, InMemoryOutbox, Outbox};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::database::Database;
use crate::measure::{ROUNDS, Spread, rate, timed};
use crate::postgres::{Postgres, create_database, drop_database};
use crate::report::table;
use crate::sqlite::Sqlite;
use crate::work::{self, Placed};

pub const COUNT: usize = 20_000;

/// How many acknowledgements of the server are waited for at a time.
const IN_FLIGHT: usize = 100;

/// How many messages are asked for at a time.
const PULLED: usize = 200;

const STREAM: &str = "OUTBOX_BENCHMARK";
const PREFIX: &str = "outbox-benchmark";

const WATERMILL: &str = "\
    Watermill 1.5 (watermill-sql 4.1, watermill-nats 2.1): its forwarder from PostgreSQL by pgx, batches of 1,000, to JetStream with \
    message ids. It waits for the acknowledgement of each message before it publishes the next one, and keeps the rows.";

/// The handler of deliveries to the bus.
const BUS: &str = "nats";

#[event(name = "bench.sent", external)]
#[derive(Serialize, Deserialize)]
struct Sent {
    text: String,
}

const SENT: &str = "bench.sent";

#[event_handler(durable, manual, name = "bench.received")]
async fn receive(_event: &Sent) {}

pub async fn report() -> Result<()> {
    let server = Server::connect().await?;
    // A program that takes a database's URL, a server's and a number of messages, forwards these, and prints how many it did per second.
    let watermill = std::env::var("WATERMILL_FORWARDER").ok();
    publishing(&server, watermill.as_deref()).await?;
    receiving(&server).await?;
    server.context.delete_stream(STREAM).await?;
    Ok(())
}

const COLUMNS: [&str; 4] = ["", "by hand, per second", "here, per second", "share (at least 0.6)"];

/// Two candidates that took turns.
#[derive(Default)]
struct Pair {
    by_hand: Vec<f64>,
    here: Vec<f64>,
}

impl Pair {
    fn row(&self, name: &str) -> Vec<String> {
        let share = Spread::of_ratios(&self.by_hand, &self.here).to_string();
        vec![name.to_owned(), rate(COUNT, &self.by_hand), rate(COUNT, &self.here), share]
    }
}

// Publishing

async fn publishing(server: &Server, watermill: Option<&str>) -> Result<()> {
    let mut rows = vec![client_publishes(server).await?.row("published, without a database")];
    rows.push(forward::<Sqlite>(server).await?.row("forwarded from SQLite"));
    let mut postgres = forward::<Postgres>(server).await?;
    rows.push(postgres.row("forwarded from PostgreSQL"));
    if let Some(forwarder) = watermill {
        postgres.by_hand = Vec::new();
        for _ in 0..postgres.here.len() {
            postgres.by_hand.push(watermill_forwards(forwarder, &server.url).await?);
        }
        rows.push(postgres.row("the same, over Watermill's forwarder (Go)"));
    }
    table("NATS: publishing", &COLUMNS, &rows);
    println!(
        "{IN_FLIGHT} acknowledgements in flight. By hand: the client with the same payload and the event's id; with a database, the \
         batch of a hundred is claimed before, and deleted after all its acknowledgements."
    );
    if watermill.is_some() {
        println!("{WATERMILL}");
    }
    println!();
    Ok(())
}

/// `NatsBridge::publish` over the client's.
async fn client_publishes(server: &Server) -> Result<Pair> {
    let (bridge, mut pair) = (server.bridge("bench-sender").await?, Pair::default());
    for round in 0..=ROUNDS {
        let by_hand = timed(server.publish(messages())).await?;
        let here = timed(publish(&bridge, events())).await?;
        server.empty().await?;
        if round > 0 {
            pair.by_hand.push(by_hand);
            pair.here.push(here);
        }
    }
    Ok(pair)
}

async fn forward<D: Database>(server: &Server) -> Result<Pair> {
    let database = D::create().await?;
    let bridge = server.bridge("bench-sender").await?;
    let mediator = Mediator::builder().outbox(database.outbox().clone()).external(bridge).build()?;
    let mut pair = Pair::default();
    for round in 0..=ROUNDS {
        database.fill(COUNT, 0).await?;
        let by_hand = timed(database.deliver_by_hand(async |batch| server.publish(batch).await)).await?;
        server.holds(COUNT).await?;
        database.empty().await?;
        database.fill_for(SENT, BUS, COUNT, 0).await?;
        let here = timed(async {
            let drained = database.outbox().worker(&mediator).drain().await?;
            ensure!(drained.done == COUNT as u64, "{drained:?}");
            Ok(())
        })
        .await?;
        server.holds(COUNT).await?;
        database.empty().await?;
        if round > 0 {
            pair.by_hand.push(by_hand);
            pair.here.push(here);
        }
    }
    drop(mediator);
    database.destroy().await?;
    Ok(pair)
}

/// How many seconds Watermill takes, by its own clock.
async fn watermill_forwards(program: &str, nats: &str) -> Result<f64> {
    let database = create_database().await?;
    let url = format!("{database}?sslmode=disable");
    let output = Command::new(program).args([&url, nats, &COUNT.to_string()]).output().await?;
    drop_database(&database).await?;
    let error = || String::from_utf8_lossy(&output.stderr).into_owned();
    let rate: f64 = str::from_utf8(&output.stdout)?.trim().parse().with_context(error)?;
    Ok(COUNT as f64 / rate)
}

/// Publishes as the worker does.
pub async fn publish(bridge: &NatsBridge, events: Vec<ExternalEvent>) -> Result<()> {
    let publishes = stream::iter(&events).map(|event| bridge.publish(event));
    let publishes = publishes.buffer_unordered(IN_FLIGHT).try_collect::<()>();
    publishes.await.map_err(anyhow::Error::from_boxed)
}

pub fn events() -> Vec<ExternalEvent> {
    let events = messages().into_iter().map(|(id, payload)| ExternalEvent::new(id, SENT, payload));
    events.collect()
}

/// Ids and payloads.
fn messages() -> Vec<(EventId, String)> {
    let payload = serde_json::to_string(&Placed::some()).expect("JSON");
    (0..COUNT).map(|_| (EventId::new(), payload.clone())).collect()
}

// Receiving

async fn receiving(server: &Server) -> Result<()> {
    let (sqlite, postgres) = (Sqlite::create().await?, Postgres::create().await?);
    let sender = server.bridge("bench-sender").await?;
    let (mut alone, mut on_sqlite, mut on_postgres) = (Pair::default(), Pair::default(), Pair::default());
    for round in 0..=ROUNDS {
        publish(&sender, events()).await?;
        let memory = InMemoryOutbox::bounded(COUNT);
        let now = [
            timed(server.pull("by-hand-alone", async |_| Ok(()))).await?,
            server.consume("here-in-memory", &memory).await?,
            timed(server.pull("by-hand-sqlite", async |count| sqlite.insert(1, count).await)).await?,
            server.consume("here-on-sqlite", sqlite.outbox()).await?,
            timed(server.pull("by-hand-postgres", async |count| postgres.insert(1, count).await)).await?,
            server.consume("here-on-postgres", postgres.outbox()).await?,
        ];
        server.empty().await?;
        sqlite.empty().await?;
        postgres.empty().await?;
        if round > 0 {
            for (pair, [by_hand, here]) in
                [&mut alone, &mut on_sqlite, &mut on_postgres].into_iter().zip(now.as_chunks().0)
            {
                pair.by_hand.push(*by_hand);
                pair.here.push(*here);
            }
        }
    }
    let rows = [
        alone.row("acknowledged; here, recorded in memory before"),
        on_sqlite.row("recorded on SQLite"),
        on_postgres.row("recorded on PostgreSQL"),
    ];
    table("NATS: receiving", &COLUMNS, &rows);
    println!(
        "Batches of {PULLED}. By hand: the client pulls and acknowledges; with a database, a bare INSERT of each event is committed \
         with the batch before, without a look at the message.\n"
    );
    sqlite.destroy().await?;
    postgres.destroy().await
}

/// The server, and a stream for the measurements.
struct Server {
    url: String,
    context: jetstream::Context,
    stream: Stream,
}

impl Server {
    async fn connect() -> Result<Self> {
        let url = std::env::var("BENCH_NATS").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
        let context = jetstream::new(async_nats::connect(&url).await?);
        // One that an earlier run has left.
        let _ = context.delete_stream(STREAM).await;
        NatsBridge::builder("bench-sender").stream(STREAM).subject_prefix(PREFIX).connect(&url).await?;
        let stream = context.get_stream(STREAM).await?;
        Ok(Self { url, context, stream })
    }

    async fn bridge(&self, service: &str) -> Result<NatsBridge> {
        Ok(NatsBridge::builder(service).stream(STREAM).subject_prefix(PREFIX).connect(&self.url).await?)
    }

    /// By the client alone.
    async fn publish(&self, messages: Vec<(EventId, String)>) -> Result<()> {
        let publishes = stream::iter(messages).map(async |(id, payload)| {
            let message = PublishMessage::build().payload(payload.into()).message_id(id.to_string());
            self.context.send_publish(format!("{PREFIX}.{SENT}"), message).await?.await
        });
        Ok(publishes.buffer_unordered(IN_FLIGHT).try_for_each(async |_| Ok(())).await?)
    }

    /// Checks that so many messages have arrived, and removes them.
    async fn holds(&self, count: usize) -> Result<()> {
        let state = self.stream.get_info().await?.state;
        ensure!(state.messages == count as u64, "{} of {count} messages have arrived", state.messages);
        self.empty().await
    }

    async fn empty(&self) -> Result<()> {
        self.stream.purge().await?;
        Ok(())
    }

    /// Receives by the client alone, with something to do for each batch before it is acknowledged.
    async fn pull(&self, name: &str, record: impl AsyncFn(usize) -> Result<()>) -> Result<()> {
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ..pull::Config::default()
        };
        let consumer: PullConsumer = self.stream.get_or_create_consumer(name, config).await?;
        let mut count = 0;
        while count < COUNT {
            let messages = consumer.batch().max_messages(PULLED).messages().await?;
            let messages: Vec<_> = messages.try_collect().await.map_err(anyhow::Error::from_boxed)?;
            record(messages.len()).await?;
            for message in &messages {
                message.ack().await.map_err(anyhow::Error::from_boxed)?;
            }
            count += messages.len();
        }
        Ok(())
    }

    /// Receives by a consumer of this name, and returns how many seconds it took.
    async fn consume<S: Store>(&self, service: &str, outbox: &Outbox<S>) -> Result<f64> {
        let bridge = self.bridge(service).await?;
        let builder = work::builder(outbox).external(bridge.clone()).bind_fn(receive);
        let mediator = builder.build()?;
        let began = Instant::now();
        let consumer = bridge.consumer(&mediator, outbox).start().await?;
        while consumer.stats().recorded < COUNT as u64 {
            sleep(Duration::from_millis(1)).await;
        }
        let took = began.elapsed().as_secs_f64();
        consumer.shutdown(Duration::from_secs(5)).await;
        Ok(took)
    }
}
