//! A schema of its own for each test that needs PostgreSQL.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::io::Write;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use tokio::task::{LocalSet, spawn_local};
use uuid::Uuid;

/// A schema that is there until it is [dropped](Self::drop).
pub(crate) struct Schema {
    name: String,
    server: PgConnectOptions,
}

impl Schema {
    /// Makes one on the server that `MEDIATOR_TEST_POSTGRES` names, or on this machine's. Where there is none, the test is skipped:
    /// `None`.
    ///
    /// # Panics
    ///
    /// If there is none and `MEDIATOR_TEST_REQUIRE` contains `postgres`.
    pub(crate) async fn for_test(test: &str) -> Option<Self> {
        let url = std::env::var("MEDIATOR_TEST_POSTGRES");
        let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let server = PgConnectOptions::from_str(&url).expect("MEDIATOR_TEST_POSTGRES is a URL of PostgreSQL");
        let connecting = tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(&server));
        let mut connection = match connecting.await.map_err(|_| sqlx::Error::PoolTimedOut).flatten() {
            Ok(connection) => connection,
            Err(error) => {
                let required = std::env::var("MEDIATOR_TEST_REQUIRE").is_ok_and(|needed| needed.contains("postgres"));
                assert!(!required, "there is no PostgreSQL at {url}: {error}");
                // Not `println`, which is shown of tests that fail.
                let _ = writeln!(std::io::stderr(), "skipped: {test}: there is no PostgreSQL at {url}");
                return None;
            }
        };
        let name = format!("mediator_test_{}", Uuid::from(mediator_core::EventId::new()).simple());
        run(&mut connection, format!("CREATE SCHEMA {name}")).await;
        Some(Self { name, server })
    }

    /// Connections to it.
    pub(crate) fn pool(&self) -> PgPool {
        let options = self.server.clone().options([("search_path", &self.name)]);
        PgPoolOptions::new().max_connections(5).connect_lazy_with(options)
    }

    /// Its address, for other processes.
    pub(crate) fn url(&self) -> String {
        let mut url = self.server.to_url_lossy();
        url.query_pairs_mut().append_pair("options[search_path]", &self.name);
        url.into()
    }

    /// Runs what needs it, and drops it behind that, also if it panics.
    pub(crate) async fn drop_after(self, test: impl Future<Output = ()> + 'static) {
        let ended = LocalSet::new().run_until(async { spawn_local(test).await }).await;
        self.drop().await;
        if let Err(failed) = ended {
            resume_unwind(failed.into_panic());
        }
    }

    /// Drops it.
    pub(crate) async fn drop(&self) {
        let mut connection = PgConnection::connect_with(&self.server).await.unwrap();
        run(&mut connection, format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
