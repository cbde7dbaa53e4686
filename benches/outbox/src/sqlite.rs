//! SQLite.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use mediator_core::{EventId, Mediator};
use mediator_outbox::SqliteOutbox;
use mediator_outbox::store::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::database::Database;
use crate::work::{EVENT, HANDLER, Placed};

pub struct Sqlite {
    place: String,
    pub pool: SqlitePool,
    outbox: SqliteOutbox,
}

/// What the outbox has in two tables, in one.
const BY_HAND: &str = "
    CREATE TABLE by_hand (
        id INTEGER PRIMARY KEY AUTOINCREMENT, event_id BLOB NOT NULL UNIQUE, name TEXT NOT NULL, version INTEGER NOT NULL,
        handler TEXT NOT NULL, key TEXT, payload TEXT NOT NULL, headers TEXT, state INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX by_hand_due ON by_hand (handler, name, due_at, id) WHERE state < 2;";

impl Sqlite {
    pub async fn about() -> Result<String> {
        let pool = SqlitePool::connect("sqlite::memory:").await?;
        let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&pool).await?;
        Ok(format!("SQLite {version}"))
    }

    async fn pool(place: &str) -> Result<SqlitePool> {
        let options = SqliteConnectOptions::from_str(place)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(30));
        Ok(SqlitePoolOptions::new().max_connections(5).connect_with(options).await?)
    }
}

fn folder() -> PathBuf {
    std::env::var_os("BENCH_SQLITE_DIR").map_or_else(|| PathBuf::from("/dev/shm"), PathBuf::from)
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("before the year 294247")
}

async fn insert(connection: &mut SqliteConnection) -> Result<()> {
    const INSERT: &str = "
        INSERT INTO by_hand (event_id, name, version, handler, payload, due_at, recorded_at)
        VALUES (?1, ?2, 1, ?3, ?4, ?5, ?5)";
    let event = Placed::some();
    let query = sqlx::query(INSERT).bind(event.event_id.as_uuid().as_bytes().to_vec()).bind(EVENT).bind(HANDLER);
    query.bind(serde_json::to_string(&event)?).bind(now()).execute(connection).await?;
    Ok(())
}

/// One batch; whether there was one.
async fn deliver_batch(
    connection: &mut SqliteConnection,
    handle: &impl AsyncFn(Vec<(EventId, String)>) -> Result<()>,
) -> Result<bool> {
    const CLAIM: &str = "
        UPDATE mediator_delivery SET state = 1, attempts = attempts + 1, token = token + 1, due_at = ?2
        WHERE id IN (SELECT id FROM mediator_delivery INDEXED BY mediator_delivery_due
            WHERE handler = ?3 AND name = ?4 AND state < 2 AND due_at <= ?1 ORDER BY due_at, id LIMIT 100)
        RETURNING id, token, event";
    const EVENTS: &str = "
        SELECT id, event_id, payload, headers FROM mediator_event WHERE id IN (SELECT value FROM json_each(?1))";
    const COMPLETE: &str = "
        DELETE FROM mediator_delivery
        WHERE (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id";
    let claim = sqlx::query(CLAIM).bind(now()).bind(now() + 30_000_000).bind(HANDLER).bind(EVENT);
    let claimed = claim.fetch_all(&mut *connection).await?;
    let rows: Vec<(i64, i64, i64)> = claimed.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let events: Vec<_> = rows.iter().map(|row| row.2).collect();
    let pairs: Vec<_> = rows.iter().map(|row| (row.0, row.1)).collect();
    let events = sqlx::query(EVENTS).bind(serde_json::to_string(&events)?).fetch_all(&mut *connection).await?;
    handle(events.iter().map(|row| (EventId::from(row.get::<Uuid, _>(1)), row.get(2))).collect()).await?;
    sqlx::query(COMPLETE).bind(serde_json::to_string(&pairs)?).fetch_all(connection).await?;
    Ok(!rows.is_empty())
}

impl Database for Sqlite {
    type Store = SqliteStore;

    const NAME: &'static str = "SQLite";

    async fn create() -> Result<Self> {
        let file = folder().join(format!("outbox-benchmark-{}.db", EventId::new()));
        let this = Self::open(&format!("sqlite:{}", file.display())).await?;
        sqlx::raw_sql(BY_HAND).execute(&this.pool).await?;
        Ok(this)
    }

    async fn open(place: &str) -> Result<Self> {
        let pool = Self::pool(place).await?;
        let outbox = SqliteOutbox::new(pool.clone()).await?;
        Ok(Self { place: place.to_owned(), pool, outbox })
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn outbox(&self) -> &SqliteOutbox {
        &self.outbox
    }

    async fn insert(&self, transactions: usize, each: usize) -> Result<()> {
        for _ in 0..transactions {
            let mut tx = self.pool.begin().await?;
            for _ in 0..each {
                insert(&mut tx).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    async fn publish(&self, mediator: &Mediator, transactions: usize, each: usize) -> Result<()> {
        for _ in 0..transactions {
            let mut tx = self.pool.begin().await?;
            for _ in 0..each {
                mediator.with(&mut *tx).publish(Placed::some()).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    async fn fill_for(&self, event: &str, handler: &str, deliveries: usize, keys: usize) -> Result<()> {
        const FILL: &str = "
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO mediator_event (event_id, name, version, key, payload, recorded_at, due_at, handlers)
            SELECT randomblob(16), ?2, 1, iif(?3 > 0, 'key ' || (i % ?3), NULL), ?4, ?5, ?5, json_array(?6) FROM n";
        let (count, keys) = (i64::try_from(deliveries)?, i64::try_from(keys)?);
        let payload = serde_json::to_string(&Placed::some())?;
        let query = sqlx::query(FILL).bind(count).bind(event).bind(keys).bind(payload).bind(now()).bind(handler);
        query.execute(&self.pool).await?;
        Ok(())
    }

    async fn deliver_by_hand(&self, handle: impl AsyncFn(Vec<(EventId, String)>) -> Result<()>) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        while deliver_batch(&mut connection, &handle).await? {}
        Ok(())
    }

    async fn empty(&self) -> Result<()> {
        // Keys first, or each deletion lets the next one go.
        const EMPTY: &str = "
            UPDATE mediator_delivery SET key = NULL WHERE key IS NOT NULL;
            DELETE FROM mediator_delivery; DELETE FROM mediator_event; DELETE FROM by_hand;
            PRAGMA wal_checkpoint(TRUNCATE);";
        sqlx::raw_sql(EMPTY).execute(&self.pool).await?;
        Ok(())
    }

    async fn writes(&self) -> Result<i64> {
        // The same connection each time: it counts what others have written.
        let wal = self.place.trim_start_matches("sqlite:").to_owned() + "-wal";
        let written = std::fs::metadata(wal)?.modified()?.duration_since(UNIX_EPOCH)?;
        Ok(i64::try_from(written.as_nanos())?)
    }

    async fn destroy(self) -> Result<()> {
        self.pool.close().await;
        let file = self.place.trim_start_matches("sqlite:");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{suffix}"));
        }
        Ok(())
    }
}
