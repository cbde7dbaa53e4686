//! The connections for what workers do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres};
use tokio::time::error::Elapsed;

use crate::store::kept::Kept;

/// So many connections are kept from one statement to the next: a worker claims while it completes.
const KEPT: usize = 2;

/// A pool, and the connections of it that are kept.
pub(super) struct Work {
    pool: PgPool,
    kept: Mutex<Vec<Kept<Postgres>>>,
}

impl Work {
    /// Connections to the database of another pool, in this schema.
    pub(super) fn new(pool: &PgPool, schema: String) -> Self {
        const SETTINGS: &str = "\
            SELECT set_config('search_path', $1, false), set_config('enable_seqscan', 'off', false),
                set_config('enable_bitmapscan', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false),
                set_config('default_transaction_isolation', 'read committed', false)";
        let options = PgPoolOptions::new()
            .max_connections(5)
            .acquire_timeout(pool.options().get_acquire_timeout())
            // A broken connection fails one statement, which is tried again; asking first would double the round trips.
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let schema = schema.clone();
                Box::pin(async move { sqlx::query(SETTINGS).bind(schema).execute(connection).await.map(|_| ()) })
            });
        let pool = options.connect_lazy_with(PgConnectOptions::clone(&pool.connect_options()));
        Self { pool, kept: Mutex::default() }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How long the answer to a statement may take: as long as a connection.
    pub(super) fn patience(&self) -> Duration {
        self.pool.options().get_acquire_timeout()
    }

    pub(super) async fn connection(&self) -> Result<Kept<Postgres>, sqlx::Error> {
        let kept = self.kept().pop();
        match kept {
            Some(connection) => Ok(connection),
            None => Ok(Kept::new(self.pool.acquire().await?)),
        }
    }

    /// The answer to a statement, if it came in time; the connection is kept. Otherwise it is closed: a server whose machine is
    /// gone neither answers nor says so, and a worker would wait for it for ever.
    pub(super) fn answered<T>(
        &self,
        connection: Kept<Postgres>,
        answer: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<T, sqlx::Error> {
        let Ok(answer) = answer else {
            connection.give_up();
            return Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        };
        // After an error the pool tests it.
        let answer = answer?;
        let mut kept = self.kept();
        if kept.len() < KEPT && connection.is_fresh() {
            kept.push(connection);
        }
        Ok(answer)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept<Postgres>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
