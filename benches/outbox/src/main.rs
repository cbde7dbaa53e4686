//! What durable deliveries cost. Prints `OUTBOX.md`: `cargo run --release --features peers > OUTBOX.md`; what it does meanwhile
//! goes to the standard error. With arguments it prints only these parts of it: `publishing`, `delivering`, `latency`,
//! `statements`, `backlog`, `keys`, `soak`, `nodes`, `nats`, `cluster`, `peers`.
//!
//! SQLite's databases are made in the folder that `BENCH_SQLITE_DIR` names, or in `/dev/shm`; PostgreSQL's in the server that
//! `BENCH_POSTGRES` names, or in this machine's. JetStream is that of the server that `BENCH_NATS` names, or of this machine's;
//! `cluster` starts servers of its own. `WATERMILL_FORWARDER` may name a program around Watermill's forwarder, which `nats` times too.

mod backlog;
mod cluster;
mod database;
mod delivering;
mod keys;
mod latency;
mod measure;
mod nats;
mod nodes;
#[cfg(feature = "peers")]
mod peers;
mod postgres;
mod publishing;
mod report;
mod soak;
mod sqlite;
mod statements;
mod work;

use anyhow::{Result, bail};
use database::Database;
use postgres::Postgres;
use sqlite::Sqlite;

const PARTS: &[&str] = &[
    "publishing",
    "delivering",
    "latency",
    "statements",
    "backlog",
    "keys",
    "soak",
    "nodes",
    "nats",
    "cluster",
    "peers",
];

#[tokio::main]
async fn main() -> Result<()> {
    statements::watch();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, database, rest @ ..] = &arguments[..]
        && role.starts_with("child-")
    {
        return child(role, database, rest).await;
    }
    if let Some(unknown) = arguments.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("`{unknown}` is none of {PARTS:?}");
    }
    let parts: Vec<_> =
        PARTS.iter().filter(|part| arguments.is_empty() || arguments.iter().any(|it| it == *part)).collect();
    if arguments.is_empty() {
        report::head().await?;
    }
    for part in parts {
        eprintln!("{part} …");
        run(part).await?;
    }
    Ok(())
}

async fn run(part: &str) -> Result<()> {
    match part {
        "publishing" => publishing::report().await,
        "delivering" => delivering::report().await,
        "latency" => latency::report().await,
        "statements" => statements::report().await,
        "backlog" => backlog::report().await,
        "keys" => keys::report().await,
        "soak" => soak::report().await,
        "nodes" => nodes::report().await,
        "nats" => nats::report().await,
        "cluster" => cluster::report().await,
        #[cfg(feature = "peers")]
        "peers" => peers::report().await,
        _ => Ok(()),
    }
}

/// What this program does when it has started itself.
async fn child(role: &str, database: &str, rest: &[String]) -> Result<()> {
    match (role, database) {
        ("child-publishes", Sqlite::NAME) => latency::publish_elsewhere::<Sqlite>(&rest[0]).await,
        ("child-publishes", Postgres::NAME) => latency::publish_elsewhere::<Postgres>(&rest[0]).await,
        ("child-drains", Sqlite::NAME) => nodes::drain::<Sqlite>(&rest[0], &rest[1]).await,
        ("child-drains", Postgres::NAME) => nodes::drain::<Postgres>(&rest[0], &rest[1]).await,
        ("child-delivers", Sqlite::NAME) => backlog::deliver::<Sqlite>(&rest[0]).await,
        ("child-delivers", Postgres::NAME) => backlog::deliver::<Postgres>(&rest[0]).await,
        _ => bail!("no such role: {role} {database}"),
    }
}
