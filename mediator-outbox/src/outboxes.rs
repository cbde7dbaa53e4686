//! The outboxes that ship.

use crate::clock::Clock;
use crate::outbox::Outbox;
use crate::store::MemoryStore;

/// An outbox in memory, for background work and for tests: as the others, but it knows no transaction, and nothing survives the
/// process.
///
/// It is bounded: a publish waits until there is room, unless it is made by a durable handler, which never waits.
pub type InMemoryOutbox = Outbox<MemoryStore>;

/// How many unfinished deliveries there may be in memory, unless said otherwise.
const BOUND: usize = 10_000;

impl Outbox<MemoryStore> {
    /// An empty outbox with room for 10,000 unfinished deliveries.
    #[must_use]
    pub fn new() -> Self {
        Self::bounded(BOUND)
    }

    /// An empty outbox with room for so many unfinished deliveries.
    #[must_use]
    pub fn bounded(deliveries: usize) -> Self {
        Self::in_store(MemoryStore::new(Clock::system(), deliveries))
    }

    /// An empty outbox with a clock of your own, for tests.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self::in_store(MemoryStore::new(clock, BOUND))
    }
}

impl Default for Outbox<MemoryStore> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "postgres")]
pub use postgres::PostgresOutbox;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteOutbox;

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::PgPool;

    use crate::error::StoreError;
    use crate::outbox::Outbox;
    use crate::store::PostgresStore;

    /// An outbox in a PostgreSQL database, in tables of its own beside the user's.
    pub type PostgresOutbox = Outbox<PostgresStore>;

    impl Outbox<PostgresStore> {
        /// An outbox in the database of a pool, in the first schema of its `search_path`; makes its tables, or brings them up to
        /// date.
        ///
        /// # Errors
        ///
        /// If the database cannot be reached, the tables cannot be made, or they are of a newer version of this crate.
        pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
            Ok(Self::in_store(PostgresStore::new(pool).await?))
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::SqlitePool;

    use crate::clock::Clock;
    use crate::error::StoreError;
    use crate::outbox::Outbox;
    use crate::store::SqliteStore;

    /// An outbox in a SQLite database, in tables of its own beside the user's.
    pub type SqliteOutbox = Outbox<SqliteStore>;

    impl Outbox<SqliteStore> {
        /// An outbox in the database of a pool; makes its tables, or brings them up to date.
        ///
        /// # Errors
        ///
        /// If the database cannot be written to, or its tables are of a newer version of this crate.
        pub async fn new(pool: SqlitePool) -> Result<Self, StoreError> {
            Self::with_clock(pool, Clock::system()).await
        }

        /// The same with a clock of your own, for tests.
        ///
        /// # Errors
        ///
        /// As for [`new`](Self::new).
        pub async fn with_clock(pool: SqlitePool, clock: Clock) -> Result<Self, StoreError> {
            Ok(Self::in_store(SqliteStore::new(pool, clock).await?))
        }
    }
}
