//! PostgreSQL.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use mediator_core::EventId;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Executor, PgConnection, PgPool, Postgres, QueryBuilder, Row, Transaction};
use tokio::time::timeout;
use uuid::Uuid;

use super::sql::{self, unsigned};
use super::{
    Claim, Claimed, ConnectionType, Count, Delivery, DeliveryId, Due, EventRow, Failure, Filter, Lease, NewEvent,
    Recorded, Store, StoredEvent, Wanted,
};
use crate::error::{StoreError, StoreErrorKind};
use crate::outbox::OutboxTransaction;
use crate::sql::{POSTGRES_RECORD, POSTGRES_RECORD_EVENT};
use cursors::Cursors;
use signals::Signals;
use timestamp::Timestamp;
use work::Work;

mod cursors;
mod signals;
mod statements;
mod timestamp;
mod work;

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Keeps deliveries in a PostgreSQL database, in tables of its own in the current schema.
///
/// # Connections
///
/// Recording, transactions and what people look at go through the pool that it was made with. What workers do goes through a small
/// pool of its own, to the same database, which opens up to five connections when they are first used: their sessions set
/// `enable_seqscan = off` and `enable_bitmapscan = off`, since a plan that was made while the tables were empty would read all of
/// them at each claim later on. (`PgBouncer` must pool sessions there, not transactions. Whoever cannot have that gives these two
/// settings to the role.) They keep the plans that they make, instead of making one for each claim. Two of them are kept from one
/// statement to the next; one listens for what was recorded.
///
/// The time is the database's alone.
pub struct PostgresStore {
    pool: PgPool,
    work: Arc<Work>,
    signals: Signals,
    cursors: Cursors,
    /// Up to where the last purge looked at events.
    purged: AtomicI64,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// A transaction of a [`PostgresStore`].
pub struct PostgresTransaction(Transaction<'static, Postgres>);

impl fmt::Debug for PostgresTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTransaction").finish_non_exhaustive()
    }
}

impl Deref for PostgresTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for PostgresTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl PostgresStore {
    /// A store in the database of a pool, in the first schema of its connections' `search_path`; makes its tables, or brings them
    /// up to date.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, its tables cannot be made, or they are of a newer version
    /// ([`StoreErrorKind::NewerSchema`]).
    pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
        const SCHEMA: &str = "\
            SELECT quote_ident(current_schema()), 'mediator_' || to_regnamespace(quote_ident(current_schema()))::oid";
        let error = failed(MIGRATING);
        migrate(&pool).await?;
        let row = sqlx::query(SCHEMA).fetch_one(&pool).await.map_err(&error)?;
        let schema: String = row.try_get(0).map_err(&error)?;
        let channel = row.try_get(1).map_err(&error)?;
        let work = Arc::new(Work::new(&pool, schema));
        let signals = Signals::new(work.clone(), channel);
        Ok(Self { pool, work, signals, cursors: Cursors::default(), purged: AtomicI64::new(0) })
    }

    /// The pool that it was made with.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Runs a worker's statement for its rows.
    async fn rows(&self, query: Query<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut connection = self.work.connection().await?;
        let answer = timeout(self.work.patience(), query.fetch_all(&mut *connection)).await;
        self.work.answered(connection, answer)
    }

    /// The same for its only row.
    async fn row(&self, query: Query<'_>) -> Result<PgRow, sqlx::Error> {
        let mut connection = self.work.connection().await?;
        let answer = timeout(self.work.patience(), query.fetch_one(&mut *connection)).await;
        self.work.answered(connection, answer)
    }

    /// The same for the number of the rows that it changes.
    async fn execute(&self, query: Query<'_>) -> Result<u64, sqlx::Error> {
        let mut connection = self.work.connection().await?;
        let answer = timeout(self.work.patience(), query.execute(&mut *connection)).await;
        Ok(self.work.answered(connection, answer)?.rows_affected())
    }

    /// Claims once, starting at the cursors or, if `whole`, at the oldest time; also tells how many it parked behind their keys.
    async fn claim_once(&self, claim: &Claim<'_>, whole: bool) -> Result<(Vec<Claimed>, i64), StoreError> {
        let doing = "claim deliveries";
        let began = Instant::now();
        let query = self.bind_wanted(statements::CLAIM, claim.wanted, whole).bind(limits(claim.wanted));
        let query = query.bind(claim.owner).bind(seconds(claim.lease));
        let rows = self.rows(query).await.map_err(failed(doing))?;
        if whole {
            self.cursors.whole(began);
        }
        let parked = rows.first().map_or(Ok(0), |row| row.try_get("parked")).map_err(failed(doing))?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some((one, due_at)) = claimed(row).map_err(failed(doing))? else { continue };
            self.cursors.advance(&one.handler, &one.event_name, due_at);
            all.push(one);
        }
        Ok((all, parked))
    }

    /// Parks deliveries that are due, behind their keys; returns how many.
    async fn park(&self, wanted: &[Wanted<'_>]) -> Result<i64, StoreError> {
        let query = self.bind_wanted(statements::PARK, wanted, true).bind(vec![500_i32; wanted.len()]);
        let row = self.row(query).await.map_err(failed("park deliveries"))?;
        row.try_get(0).map_err(failed("park deliveries"))
    }

    /// Binds handlers, events, versions and where to start.
    fn bind_wanted<'q>(&self, statement: &'static str, wanted: &[Wanted<'q>], whole: bool) -> Query<'q> {
        let versions = wanted.iter().map(|wanted| number(wanted.version));
        sqlx::query(statement)
            .bind(wanted.iter().map(|wanted| wanted.handler).collect::<Vec<_>>())
            .bind(wanted.iter().map(|wanted| wanted.event).collect::<Vec<_>>())
            .bind(versions.collect::<Vec<_>>())
            .bind(self.cursors.starts(wanted, whole))
    }

    /// Runs a statement that ends or renews leases, and returns the deliveries that it changed.
    async fn change(&self, doing: &'static str, query: Query<'_>) -> Result<Vec<DeliveryId>, StoreError> {
        let rows = self.rows(query).await.map_err(failed(doing))?;
        let changed = |row: &PgRow| {
            self.let_go(row.try_get(1)?, row.try_get(2)?);
            row.try_get(0)
        };
        rows.iter().map(changed).collect::<Result<_, _>>().map_err(failed(doing))
    }

    /// A delivery to a handler has left its key, if it has one.
    fn let_go(&self, of_key: Option<String>, recorded_at: Timestamp) {
        if let Some(handler) = of_key {
            self.cursors.released(&handler, recorded_at);
        }
    }

    /// Changes rows by a rare statement that may let any delivery go.
    async fn run(&self, doing: &'static str, query: Query<'_>) -> Result<u64, StoreError> {
        let changed = self.execute(query).await.map_err(failed(doing))?;
        self.cursors.clear();
        Ok(changed)
    }

    /// Goes through the events from where it stopped, around the end, until it has deleted some.
    async fn purge_events(&self, keep_received: Duration) -> Result<u64, StoreError> {
        const PURGE: &str = "\
            WITH w AS MATERIALIZED (SELECT id FROM mediator_event WHERE id > $1 ORDER BY id LIMIT 500),
            x AS (
                DELETE FROM mediator_event e USING w WHERE e.id = w.id
                    AND NOT (e.received AND e.recorded_at > statement_timestamp() - $2 * interval '1 s')
                    AND NOT EXISTS (SELECT 1 FROM mediator_delivery d WHERE d.event = e.id) RETURNING 1
            )
            SELECT max(id), (SELECT count(*) FROM x) FROM w";
        let error = failed("purge events");
        let mut at = self.purged.load(Ordering::Relaxed);
        let mut from_the_start = at == 0;
        loop {
            let query = sqlx::query(PURGE).bind(at).bind(seconds(keep_received));
            let row = self.row(query).await.map_err(&error)?;
            let last: Option<EventRow> = row.try_get(0).map_err(&error)?;
            let purged: i64 = row.try_get(1).map_err(&error)?;
            self.purged.store(last.unwrap_or(0), Ordering::Relaxed);
            match last {
                Some(_) if purged > 0 => return Ok(purged.unsigned_abs()),
                Some(last) => at = last,
                None if from_the_start => return Ok(0),
                None => (at, from_the_start) = (0, true),
            }
        }
    }
}

impl Store for PostgresStore {
    type Connection = PgConnection;
    type Transaction = PostgresTransaction;

    const CONNECTION_TYPES: &'static [ConnectionType<PgConnection>] = &[
        ConnectionType::connection(),
        ConnectionType::of::<Transaction<'static, Postgres>>(),
        ConnectionType::of::<PoolConnection<Postgres>>(),
        ConnectionType::of::<OutboxTransaction<Self>>(),
    ];

    async fn record(&self, connection: &mut PgConnection, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        record(connection, event).await
    }

    async fn record_alone(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        record(&self.pool, event).await
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        if claim.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut whole = self.cursors.look_at_everything(cursors::EACH_TIME);
        loop {
            let (claimed, parked) = self.claim_once(claim, whole).await?;
            if !claimed.is_empty() {
                return Ok(claimed);
            }
            if parked > 0 {
                // What was due was behind its key, and maybe much more is.
                self.park(claim.wanted).await?;
            } else if whole || !self.cursors.look_at_everything(cursors::IDLE) {
                return Ok(claimed);
            } else {
                whole = true;
            }
        }
    }

    async fn events(&self, events: &[EventRow]) -> Result<Vec<StoredEvent>, StoreError> {
        const EVENTS: &str =
            "SELECT id, event_id, payload::text, headers::text FROM mediator_event WHERE id = ANY ($1) ORDER BY id";
        let doing = "read events";
        let rows = self.rows(sqlx::query(EVENTS).bind(events.to_vec())).await.map_err(failed(doing))?;
        rows.iter().map(stored_event).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<DeliveryId>, StoreError> {
        let doing = "renew leases";
        let query = bind_leases(statements::RENEW, leases).bind(seconds(lease));
        let rows = self.rows(query).await.map_err(failed(doing))?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn complete(&self, leases: &[Lease], keep: bool) -> Result<Vec<DeliveryId>, StoreError> {
        let statement = if keep { statements::COMPLETE_AND_KEEP } else { statements::COMPLETE };
        self.change("complete deliveries", bind_leases(statement, leases)).await
    }

    async fn complete_within(
        &self,
        connection: &mut PgConnection,
        lease: Lease,
        keep: bool,
    ) -> Result<bool, StoreError> {
        const COMPLETE: &str = "SELECT handler, recorded_at FROM mediator_complete($1, $2, $3)";
        let error = failed("complete a delivery");
        let query = sqlx::query(COMPLETE).bind(lease.delivery).bind(lease.token).bind(keep);
        let Some(row) = query.fetch_optional(connection).await.map_err(&error)? else { return Ok(false) };
        self.let_go(row.try_get(0).map_err(&error)?, row.try_get(1).map_err(&error)?);
        Ok(true)
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<DeliveryId>, StoreError> {
        let leases: Vec<_> = failures.iter().map(|failure| failure.lease).collect();
        let (states, delays): (Vec<_>, Vec<_>) =
            failures.iter().map(|failure| sql::after_failure(failure.then)).unzip();
        let delays: Vec<_> =
            delays.into_iter().map(|delay| delay.map(|micros| seconds(sql::until(micros, 0)))).collect();
        let errors: Vec<_> = failures.iter().map(|failure| without_nul(&failure.error)).collect();
        let query = bind_leases(statements::FAIL, &leases).bind(states).bind(delays).bind(errors);
        self.change("say that deliveries failed", query).await
    }

    async fn give_back(&self, leases: &[Lease]) -> Result<Vec<DeliveryId>, StoreError> {
        self.change("give deliveries back", bind_leases(statements::GIVE_BACK, leases)).await
    }

    /// Whatever the sessions' default is: a completion sees only then what to let go.
    async fn begin(&self) -> Result<PostgresTransaction, StoreError> {
        let pool = self.pool.clone();
        let begun = sql::in_a_task(async move { pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await });
        Ok(PostgresTransaction(begun.await.map_err(failed("begin a transaction"))?))
    }

    async fn commit(transaction: PostgresTransaction) -> Result<(), StoreError> {
        transaction.0.commit().await.map_err(failed("commit a transaction"))
    }

    async fn rollback(transaction: PostgresTransaction) -> Result<(), StoreError> {
        transaction.0.rollback().await.map_err(failed("roll a transaction back"))
    }

    async fn next_due(&self, wanted: &[Wanted<'_>]) -> Result<Option<Duration>, StoreError> {
        /// How long to wait for those in front of their keys who are busy at the moment.
        const BUSY: Duration = Duration::from_millis(20);
        let error = failed("see what is due");
        let wanted: Vec<_> = wanted.iter().filter(|wanted| wanted.limit > 0).copied().collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let whole = self.cursors.look_at_everything(cursors::IDLE);
        let query = self.bind_wanted(statements::NEXT_DUE, &wanted, whole);
        let row = self.row(query).await.map_err(&error)?;
        let due: Option<Timestamp> = row.try_get(0).map_err(&error)?;
        let undecided: bool = row.try_get(1).map_err(&error)?;
        let now: Timestamp = row.try_get(2).map_err(&error)?;
        let due = due.map(|due| sql::until(due.micros(), now.micros()));
        if !undecided || due == Some(Duration::ZERO) {
            return Ok(due);
        }
        // A claim parks the others, too, and finds what comes after them.
        let at_most = if self.park(&wanted).await? > 0 { Duration::ZERO } else { BUSY };
        Ok(Some(due.map_or(at_most, |due| due.min(at_most))))
    }

    async fn unschedule(&self, connection: Option<&mut PgConnection>, event: EventId) -> Result<u64, StoreError> {
        const UNSCHEDULE: &str = "\
            DELETE FROM mediator_delivery d
            WHERE d.event = (SELECT id FROM mediator_event WHERE event_id = $1) AND d.state IN (0, 2) AND d.attempts = 0";
        let doing = "unschedule an event";
        let query = sqlx::query(UNSCHEDULE).bind(event.as_uuid());
        let Some(connection) = connection else { return self.run(doing, query).await };
        let done = query.execute(connection).await.map_err(failed(doing))?;
        self.cursors.clear();
        Ok(done.rows_affected())
    }

    async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        const COUNTS: &str = "\
            SELECT handler, name, version, CASE state WHEN 4 THEN 3::smallint ELSE state END, count(*), min(due_at),
                statement_timestamp()
            FROM mediator_delivery WHERE state < 5 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
        let doing = "count deliveries";
        let count = |row: &PgRow| {
            let (due, now): (Timestamp, Timestamp) = (row.try_get(5)?, row.try_get(6)?);
            Ok(Count {
                handler: row.try_get(0)?,
                event_name: row.try_get(1)?,
                version: unsigned(row.try_get::<i32, _>(2)?.into()),
                state: sql::state(row.try_get(3)?),
                count: row.try_get::<i64, _>(4)?.unsigned_abs(),
                oldest_due: (due <= now).then(|| sql::until(now.micros(), due.micros())),
            })
        };
        let rows = sqlx::query(COUNTS).fetch_all(&self.pool).await.map_err(failed(doing))?;
        rows.iter().map(count).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn list(&self, filter: &Filter, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        const LIST: &str = "\
            SELECT d.id, d.handler, e.event_id, d.name, d.version, d.key, d.state, d.attempts, d.last_error, e.headers::text,
                d.recorded_at, d.due_at, d.finished_at
            FROM mediator_delivery d LEFT JOIN mediator_event e ON e.id = d.event WHERE d.id > ";
        let doing = "list deliveries";
        let mut query = QueryBuilder::new(LIST);
        query.push_bind(after.unwrap_or(0));
        push(filter, &mut query);
        query.push(" ORDER BY d.id LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.pool).await.map_err(failed(doing))?;
        rows.iter().map(delivery).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::new("SELECT count(*) FROM mediator_delivery d WHERE true");
        push(filter, &mut query);
        let count: i64 = query.build_query_scalar().fetch_one(&self.pool).await.map_err(failed("count deliveries"))?;
        Ok(count.unsigned_abs())
    }

    async fn event_of(&self, delivery: DeliveryId) -> Result<Option<StoredEvent>, StoreError> {
        const EVENT_OF: &str = "\
            SELECT e.id, e.event_id, e.payload::text, e.headers::text
            FROM mediator_delivery d JOIN mediator_event e ON e.id = d.event WHERE d.id = $1";
        let doing = "read an event";
        let row = sqlx::query(EVENT_OF).bind(delivery).fetch_optional(&self.pool).await.map_err(failed(doing))?;
        row.as_ref().map(stored_event).transpose().map_err(failed(doing))
    }

    async fn retry(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        // Claims park what is behind its key: only they lock what is in front.
        let mut query = QueryBuilder::new(
            "UPDATE mediator_delivery SET state = 0, attempts = 0, lost = 0, token = token + 1,
                due_at = statement_timestamp(), finished_at = NULL WHERE ",
        );
        push_dead(filter, limit, &mut query);
        self.run("retry deliveries", query.build()).await
    }

    async fn discard(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::new("DELETE FROM mediator_delivery WHERE ");
        push_dead(filter, limit, &mut query);
        self.run("discard deliveries", query.build()).await
    }

    async fn purge(&self, keep_done: Duration, keep_received: Duration) -> Result<u64, StoreError> {
        const PURGE: &str = "\
            DELETE FROM mediator_delivery WHERE id = ANY (ARRAY(
                SELECT id FROM mediator_delivery
                WHERE state = 5 AND finished_at <= statement_timestamp() - $1 * interval '1 s'
                ORDER BY finished_at LIMIT 500))";
        let query = sqlx::query(PURGE).bind(seconds(keep_done));
        let done = self.execute(query).await.map_err(failed("purge deliveries"))?;
        Ok(done + self.purge_events(keep_received).await?)
    }

    async fn repair(&self) -> Result<u64, StoreError> {
        const REPAIR: &str = "\
            UPDATE mediator_delivery SET state = 0 WHERE state = 2 AND id = ANY (ARRAY(
                SELECT min(id) FROM mediator_delivery WHERE state < 4 AND key IS NOT NULL GROUP BY handler, key))";
        self.run("repair deliveries", sqlx::query(REPAIR)).await
    }

    async fn announce(&self) {
        self.signals.tell();
    }

    async fn announced(&self) {
        self.signals.hear().await;
    }

    /// Rarely while announcements are heard, often otherwise.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(if self.signals.hears() { 1000 } else { 100 })
    }

    async fn now(&self) -> Result<SystemTime, StoreError> {
        let now = sqlx::query_scalar("SELECT statement_timestamp()").fetch_one(&self.pool);
        let now: Timestamp = now.await.map_err(failed("read the time"))?;
        Ok(now.time())
    }
}

async fn record<'c>(
    executor: impl Executor<'c, Database = Postgres>,
    event: &NewEvent<'_>,
) -> Result<Recorded, StoreError> {
    let statement = if event.handlers.is_empty() { POSTGRES_RECORD_EVENT } else { POSTGRES_RECORD };
    let mut query = sqlx::query(statement)
        .bind(event.event_id.as_uuid())
        .bind(event.name)
        .bind(number(event.version))
        .bind(event.key.map(without_nul))
        .bind(event.payload)
        .bind(event.headers)
        .bind(event.received);
    if !event.handlers.is_empty() {
        let (due_at, delay) = match event.due {
            Due::Now => (None, Duration::ZERO),
            Due::At(time) => (Some(Timestamp::from(time)), Duration::ZERO),
            Due::In(delay) => (None, delay),
        };
        query = query.bind(event.handlers.to_vec()).bind(due_at).bind(seconds(delay));
    }
    let rows = query.execute(executor).await.map_err(failed("record an event"))?.rows_affected();
    Ok(if rows == 0 { Recorded::Already } else { Recorded::New })
}

/// Binds deliveries and tokens.
fn bind_leases<'q>(statement: &'static str, leases: &[Lease]) -> Query<'q> {
    let (deliveries, tokens): (Vec<_>, Vec<_>) = leases.iter().map(|lease| (lease.delivery, lease.token)).unzip();
    sqlx::query(statement).bind(deliveries).bind(tokens)
}

fn limits(wanted: &[Wanted<'_>]) -> Vec<i32> {
    wanted.iter().map(|wanted| number(wanted.limit)).collect()
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A duration in seconds, as far as PostgreSQL's times go with every sum.
fn seconds(duration: Duration) -> f64 {
    const THOUSAND_YEARS: f64 = 31_557_600_000.0;
    duration.as_secs_f64().min(THOUSAND_YEARS)
}

/// PostgreSQL's strings hold no NUL; the character that takes its place is none, so no text has it.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{ffff}").into() } else { text.into() }
}

fn with_nul(text: Option<String>) -> Option<String> {
    text.map(|text| if text.contains('\u{ffff}') { text.replace('\u{ffff}', "\0") } else { text })
}

/// What a row of a claim has, if it has a delivery.
fn claimed(row: &PgRow) -> Result<Option<(Claimed, Timestamp)>, sqlx::Error> {
    let Some(delivery) = row.try_get("id")? else { return Ok(None) };
    let due_at: Timestamp = row.try_get("due_at")?;
    let claimed = Claimed {
        lease: Lease { delivery, token: row.try_get("token")? },
        attempts: unsigned(row.try_get::<i32, _>("attempts")?.into()),
        lost: unsigned(row.try_get::<i32, _>("lost")?.into()),
        handler: row.try_get("handler")?,
        event_name: row.try_get("name")?,
        version: unsigned(row.try_get::<i32, _>("version")?.into()),
        key: with_nul(row.try_get("key")?),
        event: row.try_get("event")?,
        recorded_at: row.try_get::<Timestamp, _>("recorded_at")?.time(),
        due_at: due_at.time(),
    };
    Ok(Some((claimed, due_at)))
}

fn stored_event(row: &PgRow) -> Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        row: row.try_get(0)?,
        event_id: row.try_get::<Uuid, _>(1)?.into(),
        payload: row.try_get(2)?,
        headers: row.try_get(3)?,
    })
}

fn delivery(row: &PgRow) -> Result<Delivery, sqlx::Error> {
    Ok(Delivery {
        id: row.try_get(0)?,
        handler: row.try_get(1)?,
        // None, if the row was deleted by hand.
        event_id: row.try_get::<Option<Uuid>, _>(2)?.unwrap_or_default().into(),
        event_name: row.try_get(3)?,
        version: unsigned(row.try_get::<i32, _>(4)?.into()),
        key: with_nul(row.try_get(5)?),
        state: sql::state(row.try_get(6)?),
        attempts: unsigned(row.try_get::<i32, _>(7)?.into()),
        last_error: with_nul(row.try_get(8)?),
        headers: row.try_get(9)?,
        recorded_at: row.try_get::<Timestamp, _>(10)?.time(),
        due_at: row.try_get::<Timestamp, _>(11)?.time(),
        finished_at: row.try_get::<Option<Timestamp>, _>(12)?.map(Timestamp::time),
    })
}

fn push(filter: &Filter, query: &mut QueryBuilder<Postgres>) {
    if let Some(delivery) = filter.delivery {
        query.push(" AND d.id = ").push_bind(delivery);
    }
    if let Some(handler) = &filter.handler {
        query.push(" AND d.handler = ").push_bind(without_nul(handler).into_owned());
    }
    if let Some(name) = &filter.event_name {
        query.push(" AND d.name = ").push_bind(without_nul(name).into_owned());
    }
    if let Some(event) = filter.event_id {
        let event =
            query.push(" AND d.event = (SELECT id FROM mediator_event WHERE event_id = ").push_bind(event.as_uuid());
        event.push(")");
    }
    if let Some(state) = filter.state {
        query.push(" AND ").push(sql::is_in(state));
    }
    if let Some(age) = filter.older_than {
        let age = query.push(" AND d.recorded_at <= statement_timestamp() - ").push_bind(seconds(age));
        age.push(" * interval '1 s'");
    }
}

/// The first dead deliveries that a filter lets pass.
fn push_dead(filter: &Filter, limit: u32, query: &mut QueryBuilder<Postgres>) {
    query.push("id = ANY (ARRAY(SELECT d.id FROM mediator_delivery d WHERE ").push(sql::IS_DEAD);
    push(filter, query);
    query.push(" ORDER BY d.id LIMIT ").push_bind(i64::from(limit)).push(" FOR UPDATE SKIP LOCKED))");
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| sql::error(doing, error, kind)
}

/// The kind of an error by its SQLSTATE.
fn kind(code: &str) -> StoreErrorKind {
    match code {
        "25006" => StoreErrorKind::ReadOnly,
        "53100" => StoreErrorKind::Full,
        "55P03" => StoreErrorKind::Locked,
        // Connections, too many of them, and servers that stop.
        _ if code.starts_with("08") || code.starts_with("57P") || code == "53300" => StoreErrorKind::Unreachable,
        _ => StoreErrorKind::Other,
    }
}

const MIGRATING: &str = "migrate its tables";

/// Each brings the tables to the next version.
const MIGRATIONS: &[&str] = &[include_str!("postgres/001.sql")];

async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    // Any number that nobody else is likely to lock.
    const LOCK: &str = "SELECT pg_advisory_xact_lock(7363829105441220)";
    let error = failed(MIGRATING);
    // So that a program that starts waits for nobody.
    let mut connection = pool.acquire().await.map_err(&error)?;
    if missing(&mut connection).await?.is_empty() {
        return Ok(());
    }
    drop(connection);
    let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(&error)?;
    sqlx::query(LOCK).execute(&mut *transaction).await.map_err(&error)?;
    for migration in missing(&mut transaction).await? {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(&error)?;
    }
    set_version(&mut transaction).await.map_err(&error)?;
    transaction.commit().await.map_err(&error)
}

/// The migrations that a schema needs.
async fn missing(connection: &mut PgConnection) -> Result<&'static [&'static str], StoreError> {
    // `to_regclass` may remember that it was not there, before the lock was waited for.
    const IS_THERE: &str = "\
        SELECT EXISTS (
            SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relname = 'mediator_schema')";
    let error = failed(MIGRATING);
    let there: bool = sqlx::query_scalar(IS_THERE).fetch_one(&mut *connection).await.map_err(&error)?;
    if !there {
        return Ok(MIGRATIONS);
    }
    let version = sqlx::query_scalar("SELECT max(version)::bigint FROM mediator_schema");
    let version: i64 = version.fetch_one(connection).await.map_err(&error)?;
    let known = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    known.ok_or_else(|| sql::newer_schema(version, MIGRATIONS.len()))
}

async fn set_version(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let version = i32::try_from(MIGRATIONS.len()).expect("a few migrations");
    let create = "CREATE TABLE IF NOT EXISTS mediator_schema (version int NOT NULL)";
    sqlx::query(create).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM mediator_schema").execute(&mut *connection).await?;
    sqlx::query("INSERT INTO mediator_schema VALUES ($1)").bind(version).execute(connection).await?;
    Ok(())
}
