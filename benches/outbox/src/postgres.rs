//! PostgreSQL.

use std::str::FromStr;

use anyhow::Result;
use mediator_core::{EventId, Mediator};
use mediator_outbox::PostgresOutbox;
use mediator_outbox::store::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::database::Database;
use crate::work::{EVENT, HANDLER, Placed};

pub struct Postgres {
    place: String,
    pub pool: PgPool,
    outbox: PostgresOutbox,
}

/// What the outbox has in two tables, in one.
const BY_HAND: &str = "
    CREATE TABLE by_hand (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid NOT NULL UNIQUE, name text NOT NULL,
        version int NOT NULL, handler text NOT NULL, key text, payload json NOT NULL, headers json,
        state smallint NOT NULL DEFAULT 0, attempts int NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT statement_timestamp(),
        recorded_at timestamptz NOT NULL DEFAULT statement_timestamp()
    );
    CREATE INDEX by_hand_due ON by_hand (handler, name, due_at, id) WHERE state < 2;";

impl Postgres {
    pub async fn about() -> Result<String> {
        let mut connection = PgConnection::connect_with(&server()).await?;
        let mut setting = async |name: &str| -> Result<String> {
            let query = sqlx::query_scalar("SELECT current_setting($1)").bind(name.to_owned());
            Ok(query.fetch_one(&mut connection).await?)
        };
        let (version, fsync) = (setting("server_version").await?, setting("fsync").await?);
        Ok(format!("PostgreSQL {} with `fsync = {fsync}`", version.split(' ').next().unwrap_or(&version)))
    }
}

fn server() -> PgConnectOptions {
    let url = std::env::var("BENCH_POSTGRES");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    PgConnectOptions::from_str(&url).expect("BENCH_POSTGRES is a URL of PostgreSQL")
}

async fn tell_server(sql: String) -> Result<()> {
    let mut connection = PgConnection::connect_with(&server()).await?;
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(())
}

/// A database of its own, by its URL.
pub async fn create_database() -> Result<String> {
    let name = format!("outbox_benchmark_{}", uuid::Uuid::from(EventId::new()).simple());
    tell_server(format!("CREATE DATABASE {name}")).await?;
    tell_server(format!("ALTER DATABASE {name} SET synchronous_commit = off")).await?;
    let server = server();
    Ok(format!("postgres://{}@{}:{}/{name}", server.get_username(), server.get_host(), server.get_port()))
}

pub async fn drop_database(place: &str) -> Result<()> {
    let name = place.rsplit('/').next().unwrap_or_default();
    tell_server(format!("DROP DATABASE {name} WITH (FORCE)")).await
}

async fn insert(connection: &mut PgConnection) -> Result<()> {
    const INSERT: &str = "
        INSERT INTO by_hand (event_id, name, version, handler, payload) VALUES ($1, $2, 1, $3, $4::json)";
    let event = Placed::some();
    let query = sqlx::query(INSERT).bind(event.event_id.as_uuid()).bind(EVENT).bind(HANDLER);
    query.bind(serde_json::to_string(&event)?).execute(connection).await?;
    Ok(())
}

/// One batch; whether there was one.
async fn deliver_batch(
    connection: &mut PgConnection,
    handle: &impl AsyncFn(Vec<(EventId, String)>) -> Result<()>,
) -> Result<bool> {
    const CLAIM: &str = "
        WITH w AS MATERIALIZED (
            SELECT id FROM mediator_delivery
            WHERE handler = $1 AND name = $2 AND state < 2 AND key IS NULL AND due_at <= statement_timestamp()
            ORDER BY due_at, id LIMIT 100 FOR UPDATE SKIP LOCKED)
        UPDATE mediator_delivery d SET state = 1, attempts = attempts + 1, token = token + 1,
            due_at = statement_timestamp() + interval '30 s'
        WHERE d.id = ANY (ARRAY(SELECT id FROM w)) RETURNING d.id, d.token, d.event";
    const EVENTS: &str = "SELECT id, event_id, payload::text, headers::text FROM mediator_event WHERE id = ANY ($1)";
    const COMPLETE: &str = "
        DELETE FROM mediator_delivery d WHERE d.id = ANY ($1) AND d.token = ($2)[array_position($1, d.id)] RETURNING d.id";
    let claimed = sqlx::query(CLAIM).bind(HANDLER).bind(EVENT).fetch_all(&mut *connection).await?;
    let rows: Vec<(i64, i64, i64)> = claimed.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let column = |which: fn(&(i64, i64, i64)) -> i64| rows.iter().map(which).collect::<Vec<_>>();
    let events = sqlx::query(EVENTS).bind(column(|row| row.2)).fetch_all(&mut *connection).await?;
    handle(events.iter().map(|row| (EventId::from(row.get::<Uuid, _>(1)), row.get(2))).collect()).await?;
    let complete = sqlx::query(COMPLETE).bind(column(|row| row.0)).bind(column(|row| row.1));
    complete.fetch_all(connection).await?;
    Ok(!rows.is_empty())
}

impl Database for Postgres {
    type Store = PostgresStore;

    const NAME: &'static str = "PostgreSQL";

    async fn create() -> Result<Self> {
        let this = Self::open(&create_database().await?).await?;
        sqlx::raw_sql(BY_HAND).execute(&this.pool).await?;
        Ok(this)
    }

    async fn open(place: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(5).connect(place).await?;
        let outbox = PostgresOutbox::new(pool.clone()).await?;
        Ok(Self { place: place.to_owned(), pool, outbox })
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn outbox(&self) -> &PostgresOutbox {
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
            WITH e AS (
                INSERT INTO mediator_event (event_id, name, version, key, payload)
                SELECT gen_random_uuid(), $2, 1, CASE WHEN $3 > 0 THEN 'key ' || (i % $3) END, $4::json
                FROM generate_series(1, $1) i RETURNING id, key)
            INSERT INTO mediator_delivery (event, name, version, handler, key)
            SELECT id, $2, 1, $5, key FROM e ORDER BY id";
        let (count, keys) = (i64::try_from(deliveries)?, i64::try_from(keys)?);
        let payload = serde_json::to_string(&Placed::some())?;
        let query = sqlx::query(FILL).bind(count).bind(event).bind(keys).bind(payload).bind(handler);
        query.execute(&self.pool).await?;
        Ok(())
    }

    async fn deliver_by_hand(&self, handle: impl AsyncFn(Vec<(EventId, String)>) -> Result<()>) -> Result<()> {
        // As the outbox's workers do.
        const SETTINGS: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off";
        let mut connection = PgConnection::connect(&self.place).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        while deliver_batch(&mut connection, &handle).await? {}
        Ok(())
    }

    async fn empty(&self) -> Result<()> {
        sqlx::raw_sql("TRUNCATE mediator_delivery, mediator_event, by_hand").execute(&self.pool).await?;
        Ok(())
    }

    async fn writes(&self) -> Result<i64> {
        const WRITES: &str = "
            SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'mediator%'";
        Ok(sqlx::query_scalar(WRITES).fetch_one(&self.pool).await?)
    }

    async fn destroy(self) -> Result<()> {
        self.pool.close().await;
        drop_database(&self.place).await
    }
}
