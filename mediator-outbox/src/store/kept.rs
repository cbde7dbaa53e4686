//! Connections that are kept from one statement to the next.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::Database;
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;

/// After what time one goes back to its pool even if statements follow each other, so that the pool's own limits apply.
const LONGEST: Duration = Duration::from_secs(60);

/// A connection that is kept for the next statement: a pool tests each connection that comes back to it, which takes as long as a
/// short statement.
///
/// When dropped it goes back to its pool, also where there is no runtime.
pub(super) struct Kept<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    runtime: Handle,
    since: Instant,
}

impl<DB: Database> Kept<DB> {
    pub(super) fn new(connection: PoolConnection<DB>) -> Self {
        Self { connection: Some(connection), runtime: Handle::current(), since: Instant::now() }
    }

    /// Whether it is to be kept any longer.
    pub(super) fn is_fresh(&self) -> bool {
        self.since.elapsed() < LONGEST
    }

    /// Closes it.
    #[cfg(feature = "postgres")]
    pub(super) fn give_up(mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl<DB: Database> Deref for Kept<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.connection.as_ref().expect("until it is dropped")
    }
}

impl<DB: Database> DerefMut for Kept<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("until it is dropped")
    }
}

impl<DB: Database> Drop for Kept<DB> {
    fn drop(&mut self) {
        // A pool takes connections back in a task.
        let _entered = self.runtime.enter();
        drop(self.connection.take());
    }
}
