//! Every store does what the compliance suite asks.

use std::time::{Duration, SystemTime};

use mediator_outbox::Clock;
use mediator_outbox::store::compliance::Subject;
use mediator_outbox::store::{DeliveryId, MemoryStore, PostgresStore, SqliteStore};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

mod support;

use support::Schema;

mod memory {
    use super::*;

    mediator_outbox::store_compliance!(Memory::open);
}

mod sqlite_file {
    use super::*;

    mediator_outbox::store_compliance!(Sqlite::in_a_file);
}

mod sqlite_in_memory {
    use super::*;

    mediator_outbox::store_compliance!(Sqlite::in_memory);
}

mod postgres {
    use super::*;

    mediator_outbox::store_compliance!(Postgres::open);
}

struct Memory {
    clock: Clock,
    store: MemoryStore,
}

impl Memory {
    async fn open(_: &'static str) -> Option<Self> {
        let clock = Clock::fixed(SystemTime::now());
        Some(Self { clock: clock.clone(), store: MemoryStore::new(clock, 10_000) })
    }
}

impl Subject for Memory {
    type Store = MemoryStore;
    const TRANSACTIONS: bool = false;

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

struct Sqlite {
    clock: Clock,
    store: SqliteStore,
    _folder: Option<tempfile::TempDir>,
}

impl Sqlite {
    async fn in_a_file(_: &'static str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("outbox.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(5).connect_with(options).await.unwrap();
        Some(Self::new(pool, Some(folder)).await)
    }

    /// With a pool of one connection, since each would have a database of its own.
    async fn in_memory(_: &'static str) -> Option<Self> {
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        Some(Self::new(pool.connect("sqlite::memory:").await.unwrap(), None).await)
    }

    async fn new(pool: SqlitePool, folder: Option<tempfile::TempDir>) -> Self {
        let clock = Clock::fixed(SystemTime::now());
        let store = SqliteStore::new(pool, clock.clone()).await.unwrap();
        Self { clock, store, _folder: folder }
    }
}

impl Subject for Sqlite {
    type Store = SqliteStore;

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn strand(&self, delivery: DeliveryId) -> bool {
        let strand = sqlx::query("UPDATE mediator_delivery SET state = 2 WHERE id = ?1").bind(delivery);
        strand.execute(self.store.pool()).await.unwrap().rows_affected() == 1
    }
}

struct Postgres {
    schema: Schema,
    store: PostgresStore,
}

impl Postgres {
    async fn open(rule: &'static str) -> Option<Self> {
        let schema = Schema::for_test(&format!("postgres::{rule}")).await?;
        let store = PostgresStore::new(schema.pool()).await.unwrap();
        Some(Self { schema, store })
    }
}

impl Subject for Postgres {
    type Store = PostgresStore;

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    /// The time is the database's; what is recorded moves into the past instead.
    async fn advance(&self, by: Duration) {
        let deliveries = "UPDATE mediator_delivery SET due_at = due_at - $1 * interval '1 s', \
            recorded_at = recorded_at - $1 * interval '1 s', finished_at = finished_at - $1 * interval '1 s'";
        let events = "UPDATE mediator_event SET recorded_at = recorded_at - $1 * interval '1 s'";
        for sql in [deliveries, events] {
            sqlx::query(sql).bind(by.as_secs_f64()).execute(self.store.pool()).await.unwrap();
        }
    }

    async fn strand(&self, delivery: DeliveryId) -> bool {
        let strand = sqlx::query("UPDATE mediator_delivery SET state = 2 WHERE id = $1").bind(delivery);
        strand.execute(self.store.pool()).await.unwrap().rows_affected() == 1
    }

    async fn close(&self) {
        self.schema.drop().await;
    }
}
