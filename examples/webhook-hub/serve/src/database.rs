//! What the hub keeps beside the outbox: the deliveries that it has accepted, and the modules' notes. The same statements for both
//! databases.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use hub_events::{Change, Note, Notebook, NotebookError, NotebookFuture};
use mediator_core::prelude::*;
use mediator_outbox::Outbox;
use mediator_outbox::store::{PostgresStore, SqliteStore, Store};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{PgConnection, SqliteConnection};

/// A delivery of GitHub's.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// `X-GitHub-Delivery`.
    pub(crate) id: String,
    pub(crate) event: &'static str,
    pub(crate) repository: Option<String>,
    pub(crate) sender: Option<String>,
}

/// How many deliveries were accepted, of how many repositories and senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) deliveries: i64,
    pub(crate) repositories: i64,
    pub(crate) senders: i64,
}

/// A store of the outbox, with the hub's own tables beside it.
pub(crate) trait Database: Store {
    /// For reading: it waits for no writer.
    type Pool: Clone + Send + Sync + 'static;

    fn open(url: &str) -> impl Future<Output = anyhow::Result<(Outbox<Self>, Self::Pool)>> + Send;

    /// Whether it is a new one.
    fn accept(db: &mut Self::Connection, accepted: &Accepted) -> impl Future<Output = sqlx::Result<bool>> + Send;

    /// Publishes in the transaction of the connection.
    fn publish(
        db: &mut Self::Connection,
        mediator: &Mediator,
        event: Box<dyn DynNotification>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send;

    fn totals(pool: &Self::Pool) -> impl Future<Output = sqlx::Result<Totals>> + Send;

    /// Whether nothing was written under this key before. Until the transaction ends, nobody else writes notes: two who changed
    /// the same ones in different orders would wait for each other.
    fn open_page(db: &mut Self::Connection, key: &str) -> impl Future<Output = sqlx::Result<bool>> + Send;

    fn change(db: &mut Self::Connection, change: Change) -> impl Future<Output = sqlx::Result<()>> + Send;

    fn read(pool: &Self::Pool, topics: &str) -> impl Future<Output = sqlx::Result<Vec<Note>>> + Send;
}

/// A delivery is not repeated after so long.
const FORGET_KEYS: Duration = Duration::from_secs(60 * 24 * 3600);

/// `{counter}` is a number that counts up.
const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS hub_delivery (
        id TEXT PRIMARY KEY, event TEXT NOT NULL, repository TEXT, sender TEXT, received_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS hub_written (key TEXT PRIMARY KEY, written_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS hub_note (
        id {counter}, topic TEXT NOT NULL, item TEXT NOT NULL, count BIGINT NOT NULL, UNIQUE (topic, item))",
];

const ACCEPT: &str = "INSERT INTO hub_delivery (id, event, repository, sender, received_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO NOTHING";
const TOTALS: &str = "SELECT count(*), count(DISTINCT repository), count(DISTINCT sender) FROM hub_delivery";
const OPEN_PAGE: &str = "INSERT INTO hub_written (key, written_at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
const FORGET: &str = "DELETE FROM hub_written WHERE written_at < $1";
const COUNT: &str = "INSERT INTO hub_note (topic, item, count) VALUES ($1, $2, 1)
    ON CONFLICT (topic, item) DO UPDATE SET count = hub_note.count + 1";
const PUT: &str = "INSERT INTO hub_note (topic, item, count) VALUES ($1, $2, 1) ON CONFLICT (topic, item) DO NOTHING";
const TAKE: &str = "DELETE FROM hub_note WHERE topic = $1 AND item = $2";
const COPY: &str =
    "INSERT INTO hub_note (topic, item, count) SELECT $2, item, count FROM hub_note WHERE topic = $1 ORDER BY id
    ON CONFLICT (topic, item) DO UPDATE SET count = hub_note.count + excluded.count";
const TAKE_ALL: &str = "DELETE FROM hub_note WHERE topic = $1";
const READ: &str = "SELECT topic, item, count FROM hub_note WHERE substr(topic, 1, length($1)) = $1 ORDER BY id";

fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// PostgreSQL's texts hold no NUL, and a webhook may.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// For PostgreSQL; on SQLite, a transaction is the only one that writes anyhow.
const LOCK: &str = "LOCK TABLE hub_note IN SHARE ROW EXCLUSIVE MODE";

/// The same for each of the two drivers, whose types have no useful trait in common.
macro_rules! database {
    ($store:ty, $connection:ty, $pool:ty, $counter:literal, $connect:ident $(, $lock:ident)?) => {
        impl Database for $store {
            type Pool = $pool;

            async fn open(url: &str) -> anyhow::Result<(Outbox<Self>, $pool)> {
                let pool: $pool = $connect(url).await?;
                for table in TABLES {
                    let table = table.replace("{counter}", $counter);
                    sqlx::query(sqlx::AssertSqlSafe(table)).execute(&pool).await.context("cannot make the tables")?;
                }
                sqlx::query(FORGET).bind(seconds(SystemTime::now() - FORGET_KEYS)).execute(&pool).await?;
                Ok((Outbox::<Self>::new(pool.clone()).await?, pool))
            }

            async fn accept(db: &mut $connection, accepted: &Accepted) -> sqlx::Result<bool> {
                let Accepted { id, event, repository, sender } = accepted;
                let insert = sqlx::query(ACCEPT).bind(id).bind(event);
                let insert = insert.bind(repository.as_deref().map(text)).bind(sender.as_deref().map(text));
                let done = insert.bind(seconds(SystemTime::now())).execute(db).await?;
                Ok(done.rows_affected() == 1)
            }

            async fn publish(
                db: &mut $connection,
                mediator: &Mediator,
                event: Box<dyn DynNotification>,
            ) -> Result<(), PublishError> {
                mediator.with(db).publish(event).await
            }

            async fn totals(pool: &$pool) -> sqlx::Result<Totals> {
                let (deliveries, repositories, senders) = sqlx::query_as(TOTALS).fetch_one(pool).await?;
                Ok(Totals { deliveries, repositories, senders })
            }

            async fn open_page(db: &mut $connection, key: &str) -> sqlx::Result<bool> {
                $(sqlx::query($lock).execute(&mut *db).await?;)?
                let insert = sqlx::query(OPEN_PAGE).bind(key).bind(seconds(SystemTime::now()));
                Ok(insert.execute(db).await?.rows_affected() == 1)
            }

            async fn change(db: &mut $connection, change: Change) -> sqlx::Result<()> {
                match change {
                    Change::Count(topic, item) => sqlx::query(COUNT).bind(text(&topic)).bind(text(&item)).execute(db).await?,
                    Change::Put(topic, item) => sqlx::query(PUT).bind(text(&topic)).bind(text(&item)).execute(db).await?,
                    Change::Take(topic, item) => sqlx::query(TAKE).bind(text(&topic)).bind(text(&item)).execute(db).await?,
                    Change::Move(from, to) => {
                        sqlx::query(COPY).bind(text(&from)).bind(text(&to)).execute(&mut *db).await?;
                        sqlx::query(TAKE_ALL).bind(text(&from)).execute(db).await?
                    }
                };
                Ok(())
            }

            async fn read(pool: &$pool, topics: &str) -> sqlx::Result<Vec<Note>> {
                let rows: Vec<(String, String, i64)> = sqlx::query_as(READ).bind(topics).fetch_all(pool).await?;
                Ok(rows.into_iter().map(|(topic, item, count)| Note { topic, item, count }).collect())
            }
        }
    };
}

database!(SqliteStore, SqliteConnection, SqlitePool, "INTEGER PRIMARY KEY", sqlite);
database!(PostgresStore, PgConnection, PgPool, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", postgres, LOCK);

/// How long one waits for another writer of the file: many deliveries at once take turns.
const LOCKED: Duration = Duration::from_secs(30);

async fn sqlite(url: &str) -> anyhow::Result<SqlitePool> {
    let options: SqliteConnectOptions = url.parse()?;
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).busy_timeout(LOCKED);
    Ok(SqlitePool::connect_with(options).await?)
}

async fn postgres(url: &str) -> anyhow::Result<PgPool> {
    Ok(PgPool::connect(url).await?)
}

/// The modules' notes in the database.
pub(crate) struct SqlNotebook<D: Database> {
    pub(crate) outbox: Outbox<D>,
    pub(crate) pool: D::Pool,
}

impl<D: Database> SqlNotebook<D> {
    async fn write_page(&self, key: &str, changes: Vec<Change>) -> Result<(), NotebookError> {
        let mut transaction = self.outbox.begin().await.map_err(NotebookError::new)?;
        if D::open_page(&mut transaction, key).await.map_err(NotebookError::new)? {
            for change in changes {
                D::change(&mut transaction, change).await.map_err(NotebookError::new)?;
            }
        }
        transaction.commit().await.map_err(NotebookError::new)
    }

    async fn read_notes(&self, topics: &str) -> Result<Vec<Note>, NotebookError> {
        D::read(&self.pool, topics).await.map_err(NotebookError::new)
    }
}

impl<D: Database> Notebook for SqlNotebook<D> {
    fn write<'a>(&'a self, key: &'a str, changes: Vec<Change>) -> NotebookFuture<'a, ()> {
        Box::pin(self.write_page(key, changes))
    }

    fn read<'a>(&'a self, topics: &'a str) -> NotebookFuture<'a, Vec<Note>> {
        Box::pin(self.read_notes(topics))
    }
}
