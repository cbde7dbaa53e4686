//! SQLite.

use std::fmt::{self, Write as _};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use mediator_core::EventId;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::sql::{self, length, micros, time, unsigned};
use super::{
    Claim, Claimed, ConnectionType, Count, Delivery, DeliveryId, Due, EventRow, Failure, Filter, Lease, NewEvent,
    Recorded, Store, StoredEvent, Wanted,
};
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};
use crate::outbox::OutboxTransaction;
use crate::sql::SQLITE_RECORD;
use turn::{Between, Turns};

mod turn;

/// The ids of the deliveries of an event, by its row.
macro_rules! of_event {
    ($event:literal) => {
        concat!("BETWEEN ", $event, " * 1000000 AND ", $event, " * 1000000 + 999999")
    };
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Keeps deliveries in a SQLite database, in tables of its own beside the user's.
///
/// # The write lock
///
/// One connection at a time writes to a SQLite database. What a worker does with this store (claiming, renewing, ending
/// deliveries, and the transactions of [`Store::begin`]) takes turns behind a lock of the store's, without a limit to the wait,
/// and only then takes a connection of the pool; so workers of one process never fight for the write lock, and a pool of one
/// connection will do. The connection goes from one turn to the next: for as long as the turns follow each other, and the pool has
/// others. Whoever holds the turn waits for a connection and for the write lock alone, and both of these waits end,
/// by `acquire_timeout` and `busy_timeout`.
///
/// What a user of the outbox does (recording, [`Store::begin_for_user`], operations) takes no turn: it may run inside a handler
/// that holds the turn, where waiting for it would never end. It ends with [`StoreErrorKind::Locked`] after `busy_timeout`.
pub struct SqliteStore {
    pool: SqlitePool,
    clock: Clock,
    turns: Turns,
    /// Up to where the last purge looked at events.
    purged: AtomicI64,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// A transaction of a [`SqliteStore`], which can write from its beginning.
pub struct SqliteTransaction {
    // Dropped first: the turn ends once the rollback is on its way.
    transaction: Transaction<'static, Sqlite>,
    _turn: Option<OwnedMutexGuard<Between>>,
}

impl fmt::Debug for SqliteTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTransaction").finish_non_exhaustive()
    }
}

impl Deref for SqliteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

impl DerefMut for SqliteTransaction {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.transaction
    }
}

impl SqliteStore {
    /// A store in the database of a pool; makes its tables, or brings them up to date.
    ///
    /// # Errors
    ///
    /// If the database cannot be written to, or its tables are of a newer version
    /// ([`StoreErrorKind::NewerSchema`]).
    pub async fn new(pool: SqlitePool, clock: Clock) -> Result<Self, StoreError> {
        migrate(&pool).await?;
        Ok(Self { turns: Turns::new(pool.clone()), pool, clock, purged: AtomicI64::new(0) })
    }

    /// The pool that it was made with.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    fn micros(&self) -> i64 {
        micros(self.clock.now())
    }

    /// Begins a transaction, in a task of its own: a `begin` that is dropped half-way leaves the connection unusable.
    async fn begin_with(&self, turn: Option<OwnedMutexGuard<Between>>) -> Result<SqliteTransaction, StoreError> {
        let pool = self.pool.clone();
        let begun = sql::in_a_task(async move {
            let transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            Ok(SqliteTransaction { transaction, _turn: turn })
        });
        begun.await.map_err(failed("begin a transaction"))
    }

    /// Runs a worker's statement when it is its turn, with the time that it is then, and returns the deliveries that it changed.
    async fn change<'q>(
        &self,
        doing: &'static str,
        query: impl FnOnce(i64) -> Query<'q> + Send,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let mut turn = self.turns.next().await;
        let rows = turn.all(query(self.micros())).await.map_err(failed(doing))?;
        drop(turn);
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed(doing))
    }

    /// The events in the next few hundred rows behind `after` that nobody needs, as a JSON array, and the last of these rows;
    /// `None` behind the last row.
    async fn unneeded(&self, after: EventRow, keep: Duration) -> Result<Option<(EventRow, String)>, StoreError> {
        const UNNEEDED: &str = concat!(
            "SELECT max(id), json_group_array(id) FILTER (WHERE unneeded) FROM (
                SELECT id, NOT (received AND recorded_at > ?2)
                    AND NOT EXISTS (SELECT 1 FROM mediator_delivery d WHERE d.id ",
            of_event!("e.id"),
            ") AS unneeded FROM mediator_event e WHERE id > ?1 ORDER BY id LIMIT 500)"
        );
        let doing = "look for events to purge";
        let received_before = self.micros().saturating_sub(length(keep));
        let query = sqlx::query(UNNEEDED).bind(after).bind(received_before);
        let row = self.one(doing, query).await?;
        let last: Option<EventRow> = row.try_get(0).map_err(failed(doing))?;
        let Some(last) = last else { return Ok(None) };
        Ok(Some((last, row.try_get(1).map_err(failed(doing))?)))
    }

    /// Goes through the events from where it stopped, around the end, until it has deleted some.
    async fn purge_events(&self, keep_received: Duration) -> Result<u64, StoreError> {
        const PURGE: &str = "DELETE FROM mediator_event WHERE id IN (SELECT value FROM json_each(?1))";
        let mut at = self.purged.load(Ordering::Relaxed);
        let mut from_the_start = at == 0;
        loop {
            let Some((last, unneeded)) = self.unneeded(at, keep_received).await? else {
                self.purged.store(0, Ordering::Relaxed);
                if from_the_start {
                    return Ok(0);
                }
                (at, from_the_start) = (0, true);
                continue;
            };
            at = last;
            if unneeded != "[]" {
                let purged = self.run("purge events", sqlx::query(PURGE).bind(unneeded)).await?;
                self.purged.store(at, Ordering::Relaxed);
                return Ok(purged);
            }
        }
    }

    /// Runs a worker's statement when it is its turn, and returns how many rows it changed.
    async fn run(&self, doing: &'static str, query: Query<'_>) -> Result<u64, StoreError> {
        self.turns.next().await.execute(query).await.map_err(failed(doing))
    }

    async fn all(&self, doing: &'static str, query: Query<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        let mut connection = turn::connection(&self.pool).await.map_err(failed(doing))?;
        query.fetch_all(&mut *connection).await.map_err(failed(doing))
    }

    async fn one(&self, doing: &'static str, query: Query<'_>) -> Result<SqliteRow, StoreError> {
        let mut connection = turn::connection(&self.pool).await.map_err(failed(doing))?;
        query.fetch_one(&mut *connection).await.map_err(failed(doing))
    }

    async fn execute(&self, doing: &'static str, query: Query<'_>) -> Result<u64, StoreError> {
        let mut connection = turn::connection(&self.pool).await.map_err(failed(doing))?;
        Ok(query.execute(&mut *connection).await.map_err(failed(doing))?.rows_affected())
    }
}

impl Store for SqliteStore {
    type Connection = SqliteConnection;
    type Transaction = SqliteTransaction;

    const CONNECTION_TYPES: &'static [ConnectionType<SqliteConnection>] = &[
        ConnectionType::connection(),
        ConnectionType::of::<Transaction<'static, Sqlite>>(),
        ConnectionType::of::<PoolConnection<Sqlite>>(),
        ConnectionType::of::<OutboxTransaction<Self>>(),
    ];

    async fn record(&self, connection: &mut SqliteConnection, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        let done = record(event, self.micros()).execute(connection).await;
        Ok(recorded(done.map_err(failed(RECORDING))?.rows_affected()))
    }

    async fn record_alone(&self, event: &NewEvent<'_>) -> Result<Recorded, StoreError> {
        Ok(recorded(self.execute(RECORDING, record(event, self.micros())).await?))
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        let doing = "claim deliveries";
        if claim.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let sql = claim_sql(claim.wanted.len());
        let rows = {
            let mut turn = self.turns.next().await;
            let now = self.micros();
            let mut query = sqlx::query(AssertSqlSafe(sql))
                .bind(now)
                .bind(claim.owner.as_bytes().as_slice())
                .bind(now.saturating_add(length(claim.lease)));
            for wanted in claim.wanted {
                query = bind_wanted(query, wanted).bind(i64::from(wanted.limit));
            }
            turn.all(query).await.map_err(failed(doing))?
        };
        let mut claimed = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>().map_err(failed(doing))?;
        // `RETURNING` has no order.
        claimed.sort_unstable_by_key(|claimed| (claimed.due_at, claimed.lease.delivery));
        Ok(claimed)
    }

    async fn events(&self, events: &[EventRow]) -> Result<Vec<StoredEvent>, StoreError> {
        const EVENTS: &str = "\
            SELECT id, event_id, payload, headers FROM mediator_event
            WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
        let doing = "read events";
        let rows = self.turns.read(sqlx::query(EVENTS).bind(json(events))).await.map_err(failed(doing))?;
        rows.iter().map(stored_event).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<DeliveryId>, StoreError> {
        const RENEW: &str = "\
            UPDATE mediator_delivery SET due_at = ?2
            WHERE (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id";
        let query = |now: i64| sqlx::query(RENEW).bind(pairs(leases)).bind(now.saturating_add(length(lease)));
        self.change("renew leases", query).await
    }

    async fn complete(&self, leases: &[Lease], keep: bool) -> Result<Vec<DeliveryId>, StoreError> {
        self.change("complete deliveries", |now| complete(pairs(leases), keep, now)).await
    }

    async fn complete_within(
        &self,
        connection: &mut SqliteConnection,
        lease: Lease,
        keep: bool,
    ) -> Result<bool, StoreError> {
        let query = complete(pairs(&[lease]), keep, self.micros());
        let row = query.fetch_optional(connection).await.map_err(failed("complete a delivery"))?;
        Ok(row.is_some())
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<DeliveryId>, StoreError> {
        const FAIL: &str = "\
            UPDATE mediator_delivery SET state = f.state, token = mediator_delivery.token + 1, owner = NULL, lost = 0,
                due_at = coalesce(f.due_at, mediator_delivery.due_at), last_error = f.error,
                finished_at = CASE WHEN f.due_at IS NULL THEN ?2 END
            FROM (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS state, value ->> 3 AS due_at,
                    value ->> 4 AS error FROM json_each(?1)) f
            WHERE mediator_delivery.id = f.id AND mediator_delivery.token = f.token
            RETURNING mediator_delivery.id";
        let row = |failure: &Failure, now: i64| {
            let (state, delay) = sql::after_failure(failure.then);
            let due_at = delay.map(|delay| now.saturating_add(delay));
            // SQLite's JSON ends a string at a NUL.
            let error = failure.error.replace('\0', "\u{fffd}");
            (failure.lease.delivery, failure.lease.token, state, due_at, error)
        };
        let query = |now| {
            let failures: Vec<_> = failures.iter().map(|failure| row(failure, now)).collect();
            sqlx::query(FAIL).bind(json(&failures)).bind(now)
        };
        self.change("say that deliveries failed", query).await
    }

    async fn give_back(&self, leases: &[Lease]) -> Result<Vec<DeliveryId>, StoreError> {
        const GIVE_BACK: &str = "\
            UPDATE mediator_delivery
            SET state = 0, token = token + 1, owner = NULL, attempts = attempts - 1, due_at = ?2
            WHERE (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id";
        let query = |now: i64| sqlx::query(GIVE_BACK).bind(pairs(leases)).bind(now);
        self.change("give deliveries back", query).await
    }

    async fn begin(&self) -> Result<SqliteTransaction, StoreError> {
        let turn = self.turns.next_owned().await;
        self.begin_with(Some(turn)).await
    }

    async fn begin_for_user(&self) -> Result<SqliteTransaction, StoreError> {
        self.begin_with(None).await
    }

    async fn commit(transaction: SqliteTransaction) -> Result<(), StoreError> {
        transaction.transaction.commit().await.map_err(failed("commit a transaction"))
    }

    async fn rollback(transaction: SqliteTransaction) -> Result<(), StoreError> {
        transaction.transaction.rollback().await.map_err(failed("roll a transaction back"))
    }

    async fn next_due(&self, wanted: &[Wanted<'_>]) -> Result<Option<Duration>, StoreError> {
        let doing = "see what is due";
        let wanted: Vec<_> = wanted.iter().filter(|wanted| wanted.limit > 0).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let query = sqlx::query(AssertSqlSafe(next_due_sql(wanted.len())));
        let query = wanted.into_iter().fold(query, bind_wanted);
        let rows = self.turns.read(query).await.map_err(failed(doing))?;
        let due = rows.first().map_or(Ok(None), |row| row.try_get::<Option<i64>, _>(0)).map_err(failed(doing))?;
        Ok(due.map(|due| sql::until(due, self.micros())))
    }

    async fn unschedule(&self, connection: Option<&mut SqliteConnection>, event: EventId) -> Result<u64, StoreError> {
        const UNSCHEDULE: &str = concat!(
            "DELETE FROM mediator_delivery WHERE id ",
            of_event!("(SELECT id FROM mediator_event WHERE event_id = ?1)"),
            " AND state IN (0, 2) AND attempts = 0"
        );
        let doing = "unschedule an event";
        let query = sqlx::query(UNSCHEDULE).bind(event.as_uuid().as_bytes().to_vec());
        match connection {
            Some(connection) => Ok(query.execute(connection).await.map_err(failed(doing))?.rows_affected()),
            None => self.execute(doing, query).await,
        }
    }

    async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        const COUNTS: &str = "\
            SELECT handler, name, version, CASE state WHEN 4 THEN 3 ELSE state END AS stands, count(*), min(due_at)
            FROM mediator_delivery WHERE state < 5 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
        let doing = "count deliveries";
        let now = self.micros();
        let count = |row: &SqliteRow| {
            let due: i64 = row.try_get(5)?;
            Ok(Count {
                handler: row.try_get(0)?,
                event_name: row.try_get(1)?,
                version: unsigned(row.try_get(2)?),
                state: sql::state(row.try_get(3)?),
                count: row.try_get::<i64, _>(4)?.unsigned_abs(),
                oldest_due: (due <= now).then(|| sql::until(now, due)),
            })
        };
        let rows = self.all(doing, sqlx::query(COUNTS)).await?;
        rows.iter().map(count).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn list(&self, filter: &Filter, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        const LIST: &str = "\
            SELECT d.id, d.handler, e.event_id, d.name, d.version, d.key, d.state, d.attempts, d.last_error, e.headers,
                d.recorded_at, d.due_at, d.finished_at
            FROM mediator_delivery d LEFT JOIN mediator_event e ON e.id = d.event WHERE d.id > ";
        let doing = "list deliveries";
        let mut query = QueryBuilder::new(LIST);
        query.push_bind(after.unwrap_or(0));
        self.push(filter, &mut query);
        query.push(" ORDER BY d.id LIMIT ").push_bind(i64::from(limit));
        let rows = self.all(doing, query.build()).await?;
        rows.iter().map(delivery).collect::<Result<_, _>>().map_err(failed(doing))
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        let doing = "count deliveries";
        let mut query = QueryBuilder::new("SELECT count(*) FROM mediator_delivery d WHERE TRUE");
        self.push(filter, &mut query);
        let count: i64 = self.one(doing, query.build()).await?.try_get(0).map_err(failed(doing))?;
        Ok(count.unsigned_abs())
    }

    async fn event_of(&self, delivery: DeliveryId) -> Result<Option<StoredEvent>, StoreError> {
        const EVENT_OF: &str = "\
            SELECT e.id, e.event_id, e.payload, e.headers
            FROM mediator_delivery d JOIN mediator_event e ON e.id = d.event WHERE d.id = ?1";
        let doing = "read an event";
        let rows = self.all(doing, sqlx::query(EVENT_OF).bind(delivery)).await?;
        rows.first().map(stored_event).transpose().map_err(failed(doing))
    }

    async fn retry(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::new(
            "UPDATE mediator_delivery AS r SET attempts = 0, lost = 0, token = token + 1, finished_at = NULL,
                state = CASE WHEN key IS NOT NULL AND EXISTS (
                    SELECT 1 FROM mediator_delivery p WHERE p.handler = r.handler AND p.key = r.key
                        AND p.key IS NOT NULL AND p.state < 4 AND p.id < r.id) THEN 2 ELSE 0 END,
                due_at = ",
        );
        query.push_bind(self.micros()).push(" WHERE ");
        self.push_dead(filter, limit, &mut query);
        self.execute("retry deliveries", query.build()).await
    }

    async fn discard(&self, filter: &Filter, limit: u32) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::new("DELETE FROM mediator_delivery WHERE ");
        self.push_dead(filter, limit, &mut query);
        self.execute("discard deliveries", query.build()).await
    }

    async fn purge(&self, keep_done: Duration, keep_received: Duration) -> Result<u64, StoreError> {
        const PURGE: &str = "\
            DELETE FROM mediator_delivery WHERE id IN (
                SELECT id FROM mediator_delivery WHERE state = 5 AND finished_at <= ?1 ORDER BY finished_at LIMIT 500)";
        let done_before = self.micros().saturating_sub(length(keep_done));
        let done = self.run("purge deliveries", sqlx::query(PURGE).bind(done_before)).await?;
        Ok(done + self.purge_events(keep_received).await?)
    }

    async fn repair(&self) -> Result<u64, StoreError> {
        const REPAIR: &str = "\
            UPDATE mediator_delivery SET state = 0 WHERE state = 2 AND id IN (
                SELECT min(id) FROM mediator_delivery INDEXED BY mediator_delivery_key
                WHERE state < 4 AND key IS NOT NULL GROUP BY handler, key)";
        self.run("repair deliveries", sqlx::query(REPAIR)).await
    }

    /// Asking costs a few microseconds, and is how other processes are noticed.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn advance(&self, by: Duration) -> bool {
        self.clock.try_advance(by)
    }

    async fn now(&self) -> Result<SystemTime, StoreError> {
        Ok(self.clock.now())
    }
}

impl SqliteStore {
    fn push(&self, filter: &Filter, query: &mut QueryBuilder<Sqlite>) {
        if let Some(delivery) = filter.delivery {
            query.push(" AND d.id = ").push_bind(delivery);
        }
        if let Some(handler) = &filter.handler {
            query.push(" AND d.handler = ").push_bind(handler.clone());
        }
        if let Some(name) = &filter.event_name {
            query.push(" AND d.name = ").push_bind(name.clone());
        }
        if let Some(event) = filter.event_id {
            query
                .push(concat!(
                    " AND d.id IN (SELECT o.id FROM mediator_event e JOIN mediator_delivery o ON o.id ",
                    of_event!("e.id"),
                    " WHERE e.event_id = "
                ))
                .push_bind(event.as_uuid().as_bytes().to_vec())
                .push(")");
        }
        if let Some(state) = filter.state {
            query.push(" AND ").push(sql::is_in(state));
        }
        if let Some(age) = filter.older_than {
            query.push(" AND d.recorded_at <= ").push_bind(self.micros().saturating_sub(length(age)));
        }
    }

    /// The first dead deliveries that a filter lets pass.
    fn push_dead(&self, filter: &Filter, limit: u32, query: &mut QueryBuilder<Sqlite>) {
        query.push("id IN (SELECT d.id FROM mediator_delivery d WHERE ").push(sql::IS_DEAD);
        self.push(filter, query);
        query.push(" ORDER BY d.id LIMIT ").push_bind(i64::from(limit)).push(")");
    }
}

const RECORDING: &str = "record an event";

/// Records an event; a trigger records its deliveries.
fn record<'q>(event: &NewEvent<'q>, now: i64) -> Query<'q> {
    let due_at = match event.due {
        Due::Now => now,
        Due::At(time) => micros(time),
        Due::In(delay) => now.saturating_add(length(delay)),
    };
    sqlx::query(SQLITE_RECORD)
        .bind(event.event_id.as_uuid().as_bytes().to_vec())
        .bind(event.name)
        .bind(i64::from(event.version))
        .bind(event.key)
        .bind(event.payload)
        .bind(event.headers)
        .bind(event.received)
        .bind(now)
        .bind(due_at)
        .bind(json(event.handlers))
}

fn recorded(rows: u64) -> Recorded {
    if rows == 0 { Recorded::Already } else { Recorded::New }
}

/// Completes the deliveries in a JSON array of ids and tokens.
fn complete<'q>(pairs: String, keep: bool, now: i64) -> Query<'q> {
    const DELETE: &str = "\
        DELETE FROM mediator_delivery
        WHERE (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id";
    const KEEP: &str = "\
        UPDATE mediator_delivery
        SET state = 5, token = token + 1, owner = NULL, lost = 0, last_error = NULL, finished_at = ?2
        WHERE (id, token) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id";
    if keep { sqlx::query(KEEP).bind(pairs).bind(now) } else { sqlx::query(DELETE).bind(pairs) }
}

/// A delivery `d` that is the first unfinished one of its key, or has none.
const HEADS_ITS_KEY: &str = "\
    (d.key IS NULL OR NOT EXISTS (
        SELECT 1 FROM mediator_delivery p INDEXED BY mediator_delivery_key
        WHERE p.handler = d.handler AND p.key = d.key AND p.key IS NOT NULL AND p.state < 4 AND p.id < d.id))";

/// Claims a number of deliveries for each of so many handlers. SQLite cannot join a limited subquery to a list of handlers, so
/// each has one of its own; parameters 1 to 3 are now, the owner and the end of the lease, then four for each handler.
fn claim_sql(handlers: usize) -> String {
    let due = compound(handlers, |handler| {
        let [name, event, version, limit] = [4, 5, 6, 7].map(|first| first + 4 * handler);
        format!(
            "SELECT id FROM (SELECT d.id FROM mediator_delivery d INDEXED BY mediator_delivery_due
            WHERE d.handler = ?{name} AND d.name = ?{event} AND d.state < 2 AND d.due_at <= ?1 AND d.version <= ?{version}
            AND {HEADS_ITS_KEY} ORDER BY d.due_at, d.id LIMIT ?{limit})"
        )
    });
    format!(
        "UPDATE mediator_delivery SET state = 1, attempts = attempts + 1, token = token + 1, owner = ?2,
            lost = lost + (state = 1), was_due_at = due_at, due_at = ?3
        WHERE id IN ({due})
        RETURNING id, token, attempts, lost, handler, name, version, key, event, recorded_at, was_due_at"
    )
}

/// When the first delivery is due that could be claimed for each of so many handlers; three parameters for each.
fn next_due_sql(handlers: usize) -> String {
    let due = compound(handlers, |handler| {
        let [name, event, version] = [1, 2, 3].map(|first| first + 3 * handler);
        format!(
            "SELECT (SELECT d.due_at FROM mediator_delivery d INDEXED BY mediator_delivery_due
            WHERE d.handler = ?{name} AND d.name = ?{event} AND d.state < 2 AND d.version <= ?{version}
            AND {HEADS_ITS_KEY} ORDER BY d.due_at, d.id LIMIT 1) AS due"
        )
    });
    format!("SELECT min(due) FROM ({due})")
}

/// Joins selects by `UNION ALL`, of which SQLite allows 500 at one level.
fn compound(count: usize, select: impl Fn(usize) -> String) -> String {
    const LEVEL: usize = 250;
    let selects: Vec<_> = (0..count).map(select).collect();
    let levels: Vec<_> =
        selects.chunks(LEVEL).map(|some| format!("SELECT * FROM ({})", some.join(" UNION ALL "))).collect();
    levels.join(" UNION ALL ")
}

fn bind_wanted<'q>(query: Query<'q>, wanted: &Wanted<'q>) -> Query<'q> {
    query.bind(wanted.handler).bind(wanted.event).bind(i64::from(wanted.version))
}

fn claimed(row: &SqliteRow) -> Result<Claimed, sqlx::Error> {
    Ok(Claimed {
        lease: Lease { delivery: row.try_get(0)?, token: row.try_get(1)? },
        attempts: unsigned(row.try_get(2)?),
        lost: unsigned(row.try_get(3)?),
        handler: row.try_get(4)?,
        event_name: row.try_get(5)?,
        version: unsigned(row.try_get(6)?),
        key: row.try_get(7)?,
        event: row.try_get(8)?,
        recorded_at: time(row.try_get(9)?),
        due_at: time(row.try_get(10)?),
    })
}

fn stored_event(row: &SqliteRow) -> Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        row: row.try_get(0)?,
        event_id: event_id(Some(row.try_get(1)?)),
        payload: row.try_get(2)?,
        headers: row.try_get(3)?,
    })
}

fn delivery(row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    Ok(Delivery {
        id: row.try_get(0)?,
        handler: row.try_get(1)?,
        event_id: event_id(row.try_get(2)?),
        event_name: row.try_get(3)?,
        version: unsigned(row.try_get(4)?),
        key: row.try_get(5)?,
        state: sql::state(row.try_get(6)?),
        attempts: unsigned(row.try_get(7)?),
        last_error: row.try_get(8)?,
        headers: row.try_get(9)?,
        recorded_at: time(row.try_get(10)?),
        due_at: time(row.try_get(11)?),
        finished_at: row.try_get::<Option<i64>, _>(12)?.map(time),
    })
}

/// The id of an event; of none, if its row was deleted by hand.
fn event_id(bytes: Option<Vec<u8>>) -> EventId {
    bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).unwrap_or_default().into()
}

/// A JSON array of ids and tokens.
fn pairs(leases: &[Lease]) -> String {
    let mut json = String::with_capacity(2 + leases.len() * 16);
    json.push('[');
    for (index, lease) in leases.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(json, "{comma}[{},{}]", lease.delivery, lease.token).expect("a string can be written to");
    }
    json.push(']');
    json
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("numbers and strings have JSON")
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| sql::error(doing, error, kind)
}

/// The kind of an error by SQLite's extended result code, whose lowest byte is the primary one.
fn kind(code: &str) -> StoreErrorKind {
    const BUSY_SNAPSHOT: u32 = 517;
    let Ok(code) = code.parse::<u32>() else { return StoreErrorKind::Other };
    match (code, code & 0xff) {
        (BUSY_SNAPSHOT, _) => StoreErrorKind::Snapshot,
        (_, 5 | 6) => StoreErrorKind::Locked,
        (_, 8) => StoreErrorKind::ReadOnly,
        (_, 10 | 14) => StoreErrorKind::Unreachable,
        (_, 13) => StoreErrorKind::Full,
        _ => StoreErrorKind::Other,
    }
}

/// Each brings the tables to the next version.
const MIGRATIONS: &[&str] = &[include_str!("sqlite/001.sql"), include_str!("sqlite/002.sql")];

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let error = failed("migrate its tables");
    // So that a program that starts need not write.
    let mut connection = pool.acquire().await.map_err(&error)?;
    if missing(&mut connection).await?.is_empty() {
        return Ok(());
    }
    // A pool of one has no other.
    drop(connection);
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(&error)?;
    for migration in missing(&mut transaction).await? {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(&error)?;
    }
    set_version(&mut transaction).await.map_err(&error)?;
    transaction.commit().await.map_err(&error)
}

/// The migrations that a database needs.
async fn missing(connection: &mut SqliteConnection) -> Result<&'static [&'static str], StoreError> {
    const IS_THERE: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'mediator_schema'";
    let error = failed("migrate its tables");
    let there: i64 = sqlx::query_scalar(IS_THERE).fetch_one(&mut *connection).await.map_err(&error)?;
    if there == 0 {
        return Ok(MIGRATIONS);
    }
    let version = sqlx::query_scalar("SELECT max(version) FROM mediator_schema");
    let version: i64 = version.fetch_one(connection).await.map_err(&error)?;
    let known = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    known.ok_or_else(|| sql::newer_schema(version, MIGRATIONS.len()))
}

async fn set_version(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let version = i64::try_from(MIGRATIONS.len()).expect("a few migrations");
    let create = "CREATE TABLE IF NOT EXISTS mediator_schema (version INTEGER NOT NULL) STRICT";
    sqlx::query(create).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM mediator_schema").execute(&mut *connection).await?;
    sqlx::query("INSERT INTO mediator_schema VALUES (?1)").bind(version).execute(connection).await?;
    Ok(())
}
