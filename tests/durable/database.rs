//! Both databases, alike.

use std::str::FromStr;
use std::time::Duration;

use mediator_core::MediatorBuilder;
use mediator_outbox::Clock;
use mediator_outbox::StoreError;
use mediator_outbox::store::{PostgresStore, SqliteStore, Store};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, SqliteConnection, SqlitePool};

use crate::handlers;

/// A database, with the tables `happened`, for what publishers write, and `effect`, for what handlers do.
pub trait Database: Clone + Send + Sync + Sized + 'static {
    /// What it is called.
    const NAME: &'static str;

    /// The definition of a column that counts up.
    const COUNTS_UP: &'static str;

    /// What handlers borrow.
    type Connection: Send + 'static;

    /// Where deliveries are kept.
    type Store: Store<Connection = Self::Connection>;

    /// Connects to the one of this address.
    fn connect(url: &str) -> impl Future<Output = Self> + Send;

    /// Its address.
    fn url(&self) -> String;

    /// Makes the tables of deliveries.
    fn store(&self) -> impl Future<Output = Result<Self::Store, StoreError>> + Send;

    /// Binds handlers by their names.
    fn bind(builder: MediatorBuilder, handlers: &[&str]) -> MediatorBuilder;

    /// Runs a statement; how many rows it has changed.
    fn execute(&self, sql: &str) -> impl Future<Output = u64> + Send;

    /// Runs a query for numbers.
    fn numbers(&self, sql: &str) -> impl Future<Output = Vec<i64>> + Send;

    /// Writes down that something happened.
    fn happen(connection: &mut Self::Connection, number: i64) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The last number that has happened; 0 if nothing has. What a process that was killed still commits is waited for.
    fn last_happened(&self) -> impl Future<Output = i64> + Send;

    /// Makes the tables for what publishers and handlers write.
    fn prepare(&self) -> impl Future<Output = ()> + Send {
        async {
            self.execute("CREATE TABLE happened (number bigint NOT NULL)").await;
            let columns = "handler text NOT NULL, key text NOT NULL, number bigint NOT NULL";
            self.execute(&format!("CREATE TABLE effect (id {}, {columns})", Self::COUNTS_UP)).await;
        }
    }

    /// The numbers of the effects of a handler, in the order of their writing.
    fn effects(&self, handler: &str) -> impl Future<Output = Vec<i64>> + Send {
        async move { self.numbers(&format!("SELECT number FROM effect WHERE handler = '{handler}' ORDER BY id")).await }
    }
}

const HAPPENED: &str = "INSERT INTO happened VALUES ($1)";
const LAST: &str = "SELECT coalesce(max(number), 0) FROM happened";

/// A SQLite file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    url: String,
    /// Connections to it.
    pub pool: SqlitePool,
}

impl Database for Sqlite {
    const NAME: &'static str = "sqlite";
    const COUNTS_UP: &'static str = "INTEGER PRIMARY KEY AUTOINCREMENT";
    type Connection = SqliteConnection;
    type Store = SqliteStore;

    async fn connect(url: &str) -> Self {
        let options = SqliteConnectOptions::from_str(url).expect("an address");
        let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let options = options.synchronous(SqliteSynchronous::Normal).busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(60));
        Self { url: url.to_owned(), pool: pool.connect_with(options).await.expect("a database") }
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    async fn store(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::new(self.pool.clone(), Clock::system()).await
    }

    fn bind(builder: MediatorBuilder, handlers: &[&str]) -> MediatorBuilder {
        handlers::sqlite::bind(builder, handlers)
    }

    async fn execute(&self, sql: &str) -> u64 {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await;
        done.expect("a statement that runs").rows_affected()
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool).await;
        rows.expect("a query that runs")
    }

    async fn happen(connection: &mut SqliteConnection, number: i64) -> Result<(), sqlx::Error> {
        sqlx::query(HAPPENED).bind(number).execute(connection).await.map(|_| ())
    }

    /// A file is written to by nobody who is dead.
    async fn last_happened(&self) -> i64 {
        self.numbers(LAST).await[0]
    }
}

/// A schema of a PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Postgres {
    url: String,
    /// Connections to it.
    pub pool: PgPool,
}

impl Database for Postgres {
    const NAME: &'static str = "postgres";
    const COUNTS_UP: &'static str = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
    type Connection = PgConnection;
    type Store = PostgresStore;

    async fn connect(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).expect("an address");
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(60));
        Self { url: url.to_owned(), pool: pool.connect_lazy_with(options) }
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    async fn store(&self) -> Result<PostgresStore, StoreError> {
        PostgresStore::new(self.pool.clone()).await
    }

    fn bind(builder: MediatorBuilder, handlers: &[&str]) -> MediatorBuilder {
        handlers::postgres::bind(builder, handlers)
    }

    async fn execute(&self, sql: &str) -> u64 {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await;
        done.expect("a statement that runs").rows_affected()
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool).await;
        rows.expect("a query that runs")
    }

    async fn happen(connection: &mut PgConnection, number: i64) -> Result<(), sqlx::Error> {
        sqlx::query(HAPPENED).bind(number).execute(connection).await.map(|_| ())
    }

    /// The server notices the end of a process later than those who killed it. Who has written holds a lock until then.
    async fn last_happened(&self) -> i64 {
        let mut tx = self.pool.begin().await.expect("a transaction");
        sqlx::query("LOCK TABLE happened IN SHARE MODE").execute(&mut *tx).await.expect("a lock");
        sqlx::query_scalar(LAST).fetch_one(&mut *tx).await.expect("a number")
    }
}
