//! Whose turn it is to write, and the connection that goes from one turn to the next.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqlitePool};
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Query;
use crate::store::kept::Kept;
use crate::store::sql;

/// How long a connection waits for the next statement before it goes back to the pool.
const KEPT_FOR: Duration = Duration::from_millis(40);

/// One turn after another.
pub(super) struct Turns {
    pool: SqlitePool,
    turn: Arc<Mutex<Between>>,
}

/// What is kept between two turns. Another connection would have to read again what this one has in its cache.
#[derive(Default)]
pub(super) struct Between {
    connection: Option<(Kept<Sqlite>, Instant)>,
    /// Gives it back when no statement follows.
    idle: Option<JoinHandle<()>>,
}

/// A turn: others wait until it is dropped.
pub(super) struct Turn<'a> {
    pool: &'a SqlitePool,
    between: MutexGuard<'a, Between>,
    turns: &'a Arc<Mutex<Between>>,
}

impl Turns {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, turn: Arc::default() }
    }

    /// Waits for a turn.
    pub(super) async fn next(&self) -> Turn<'_> {
        Turn { pool: &self.pool, between: self.turn.lock().await, turns: &self.turn }
    }

    /// Waits for a turn that is to last, with a connection that the pool has then.
    pub(super) async fn next_owned(&self) -> OwnedMutexGuard<Between> {
        let mut between = Arc::clone(&self.turn).lock_owned().await;
        between.connection = None;
        between
    }

    /// Reads by the connection of the turns, if that is free, and otherwise by another one: nobody waits for a turn to read.
    pub(super) async fn read(&self, query: Query<'_>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        if let Ok(between) = self.turn.try_lock()
            && between.connection.is_some()
        {
            return Turn { pool: &self.pool, between, turns: &self.turn }.all(query).await;
        }
        query.fetch_all(&mut *connection(&self.pool).await?).await
    }
}

impl Turn<'_> {
    pub(super) async fn all(&mut self, query: Query<'_>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut connection = self.take().await?;
        let rows = query.fetch_all(&mut *connection).await?;
        self.keep(connection);
        Ok(rows)
    }

    /// How many rows it changes.
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64, sqlx::Error> {
        let mut connection = self.take().await?;
        let done = query.execute(&mut *connection).await?;
        self.keep(connection);
        Ok(done.rows_affected())
    }

    /// The connection of the last turn. One that fails or is cancelled is not kept: the pool tests it.
    async fn take(&mut self) -> Result<Kept<Sqlite>, sqlx::Error> {
        match self.between.connection.take() {
            Some((connection, _)) => Ok(connection),
            None => Ok(Kept::new(connection(self.pool).await?)),
        }
    }

    /// Keeps the connection for the next turn, if nobody else can be waiting for it.
    fn keep(&mut self, connection: Kept<Sqlite>) {
        let pool = self.pool;
        let has_others = pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections();
        if !has_others || pool.is_closed() || !connection.is_fresh() {
            return;
        }
        self.between.connection = Some((connection, Instant::now()));
        if self.between.idle.as_ref().is_none_or(JoinHandle::is_finished) {
            self.between.idle = Some(tokio::spawn(give_back_when_idle(Arc::downgrade(self.turns))));
        }
    }
}

async fn give_back_when_idle(turns: Weak<Mutex<Between>>) {
    loop {
        sleep(KEPT_FOR).await;
        let Some(turns) = turns.upgrade() else { return };
        let mut between = turns.lock().await;
        let Some((_, used)) = &between.connection else { return };
        if used.elapsed() >= KEPT_FOR {
            between.connection = None;
            return;
        }
    }
}

/// Takes a connection of the pool; if it must wait, in a task of its own: an `acquire` that is dropped half-way may close the
/// connection, and a database in memory is gone with it.
pub(super) async fn connection(pool: &SqlitePool) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    match pool.try_acquire() {
        Some(connection) => Ok(connection),
        None => sql::in_a_task(pool.acquire()).await,
    }
}
