//! What is wrong with a database is told by its kind, and the store goes on once it is over.

use std::path::Path;
use std::time::Duration;

use mediator_core::EventId;
use mediator_outbox::sql::SQLITE_RECORD;
use mediator_outbox::store::{
    Claim, Due, Filter, Lease, MemoryStore, NewEvent, PostgresStore, Recorded, SqliteStore, Store, Wanted,
};
use mediator_outbox::{Clock, StoreError, StoreErrorKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use uuid::Uuid;

mod support;

use support::Schema;

fn event(payload: &str) -> NewEvent<'_> {
    NewEvent {
        event_id: EventId::new(),
        name: "orders.placed",
        version: 1,
        key: None,
        payload,
        headers: None,
        handlers: &["mail"],
        due: Due::Now,
        received: false,
    }
}

async fn claim<S: Store>(store: &S) -> Result<usize, StoreError> {
    let wanted = [Wanted { handler: "mail", event: "orders.placed", version: 1, limit: 10 }];
    let claim = Claim { owner: Uuid::nil(), lease: Duration::from_secs(30), wanted: &wanted };
    Ok(store.claim(&claim).await?.len())
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

fn options(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.join("outbox.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_millis(100))
}

async fn pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new().max_connections(3).connect_with(options).await.unwrap()
}

#[tokio::test]
async fn sqlite_locked() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(options(folder.path())).await;
    let store = SqliteStore::new(pool.clone(), Clock::system()).await.unwrap();
    let users = store.begin_for_user().await.unwrap();
    assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::Locked);
    assert_eq!(kind(claim(&store).await), StoreErrorKind::Locked);
    assert_eq!(kind(store.begin().await), StoreErrorKind::Locked);
    SqliteStore::commit(users).await.unwrap();
    for _ in 0..5 {
        store.record_alone(&event("{}")).await.unwrap();
        SqliteStore::commit(store.begin().await.unwrap()).await.unwrap();
    }
    assert_eq!(claim(&store).await.unwrap(), 5);
}

/// Somebody publishes on another connection while a handler has the store's transaction: that is told, it does not hang.
#[tokio::test]
async fn sqlite_locked_by_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(pool(options(folder.path())).await, Clock::system()).await.unwrap();
    let workers = store.begin().await.unwrap();
    assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::Locked);
    assert_eq!(kind(store.begin_for_user().await), StoreErrorKind::Locked);
    SqliteStore::rollback(workers).await.unwrap();
}

#[tokio::test]
async fn sqlite_with_one_connection_that_is_taken() {
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(100));
    let store = SqliteStore::new(pool.connect("sqlite::memory:").await.unwrap(), Clock::system()).await.unwrap();
    let mut workers = store.begin().await.unwrap();
    store.record(&mut workers, &event("{}")).await.unwrap();
    assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::Unreachable);
    SqliteStore::commit(workers).await.unwrap();
    assert_eq!(claim(&store).await.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_read_then_written_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(options(folder.path())).await;
    let store = SqliteStore::new(pool.clone(), Clock::system()).await.unwrap();
    let mut deferred = pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM mediator_event").fetch_one(&mut *deferred).await.unwrap();
    store.record_alone(&event("{}")).await.unwrap();
    let error = store.record(&mut deferred, &event("{}")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Snapshot);
    assert!(error.to_string().contains("outbox.begin()"), "{error}");
}

#[tokio::test]
async fn sqlite_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let writable = pool(options(folder.path())).await;
    let store = SqliteStore::new(writable, Clock::system()).await.unwrap();
    store.record_alone(&event("{}")).await.unwrap();
    let read_only = pool(options(folder.path()).read_only(true)).await;
    let store = SqliteStore::new(read_only, Clock::system()).await.expect("there is nothing to migrate");
    assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::ReadOnly);
    assert_eq!(kind(claim(&store).await), StoreErrorKind::ReadOnly);
    assert_eq!(store.count(&Filter::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_full() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(pool(options(folder.path())).await, Clock::system()).await.unwrap();
    let small = pool(options(folder.path()).pragma("max_page_count", "40")).await;
    let store_in_small = SqliteStore::new(small, Clock::system()).await.unwrap();
    let large = format!("\"{}\"", "a".repeat(1_000_000));
    assert_eq!(kind(store_in_small.record_alone(&event(&large)).await), StoreErrorKind::Full);
    assert_eq!(store.count(&Filter::default()).await.unwrap(), 0);
    assert_eq!(store.record_alone(&event(&large)).await.unwrap(), Recorded::New);
}

#[tokio::test]
async fn sqlite_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(options(folder.path())).await;
    SqliteStore::new(pool.clone(), Clock::system()).await.unwrap();
    sqlx::query("UPDATE mediator_schema SET version = version + 1").execute(&pool).await.unwrap();
    assert_eq!(kind(SqliteStore::new(pool, Clock::system()).await), StoreErrorKind::NewerSchema);
}

#[tokio::test]
async fn sqlite_of_an_older_version() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(options(folder.path())).await;
    sqlx::raw_sql(include_str!("../src/store/sqlite/001.sql")).execute(&pool).await.unwrap();
    let version =
        "CREATE TABLE mediator_schema (version INTEGER NOT NULL) STRICT; INSERT INTO mediator_schema VALUES (1)";
    sqlx::raw_sql(version).execute(&pool).await.unwrap();
    for (key, handlers) in [(Some("a"), r#"["mail", "stock"]"#), (Some("a"), r#"["mail"]"#), (None, r#"["mail"]"#)] {
        let query =
            sqlx::query(SQLITE_RECORD).bind(EventId::new().as_uuid().as_bytes().to_vec()).bind("orders.placed").bind(1);
        let query = query.bind(key).bind("{}").bind(None::<String>).bind(false).bind(1).bind(1).bind(handlers);
        query.execute(&pool).await.unwrap();
    }
    let claimed = "UPDATE mediator_delivery SET state = 1, token = 1 WHERE id = 1";
    sqlx::query(claimed).execute(&pool).await.unwrap();

    let store = SqliteStore::new(pool.clone(), Clock::system()).await.unwrap();
    let lease_of_before = Lease { delivery: 1, token: 1 };
    assert!(store.complete(&[lease_of_before], false).await.unwrap().is_empty());
    assert_eq!(store.purge(Duration::ZERO, Duration::ZERO).await.unwrap(), 0, "all events are needed");
    let listed = store.list(&Filter::default(), None, 10).await.unwrap();
    let mut of_first = Filter::default();
    of_first.event_id = Some(listed[0].event_id);
    assert_eq!(store.count(&of_first).await.unwrap(), 2);
    // Of the key, the first one only; its lease of before has ended.
    assert_eq!(claim(&store).await.unwrap(), 2);
    assert_eq!(store.count(&Filter::default()).await.unwrap(), 4);
    assert_eq!(store.record_alone(&event("{}")).await.unwrap(), Recorded::New);
    assert_eq!(claim(&store).await.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_started_many_times_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // They exist in one mode before they are opened at once: switching takes a lock for which SQLite does not wait.
    let options = options(folder.path()).busy_timeout(Duration::from_secs(5));
    pool(options.clone()).await;
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let options = options.clone();
        starting.spawn(async move { SqliteStore::new(pool(options).await, Clock::system()).await.map(|_| ()) });
    }
    for started in starting.join_all().await {
        started.unwrap();
    }
}

#[tokio::test]
async fn memory_full() {
    let store = MemoryStore::new(Clock::system(), 2);
    let first = event("{}");
    store.record_alone(&first).await.unwrap();
    store.room(1).await;
    store.record_alone(&event("{}")).await.unwrap();
    assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::NoRoom);
    assert_eq!(store.record_alone(&first).await.unwrap(), Recorded::Already);
    assert_eq!(store.record_in_delivery(&event("{}")).await.unwrap(), Recorded::New);
    let waiting = tokio::time::timeout(Duration::from_millis(20), store.room(1)).await;
    assert!(waiting.is_err(), "there is no room");
    let (_, discarded) = tokio::join!(store.room(1), async {
        tokio::task::yield_now().await;
        store.unschedule(None, first.event_id).await.unwrap() + {
            let listed = store.list(&Filter::default(), None, 1).await.unwrap();
            store.unschedule(None, listed[0].event_id).await.unwrap()
        }
    });
    assert_eq!(discarded, 2);
    assert_eq!(store.record_alone(&event("{}")).await.unwrap(), Recorded::New);
}

/// Runs something with a schema of its own.
async fn with_postgres<F: Future<Output = ()>>(test: &str, run: impl FnOnce(PgPool) -> F) {
    if let Some(schema) = Schema::for_test(test).await {
        run(schema.pool()).await;
        schema.drop().await;
    }
}

/// Ends all other sessions of a schema.
async fn cut(pool: &PgPool) {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE pid <> pg_backend_pid() AND application_name = current_setting('application_name')";
    sqlx::query(cut).execute(pool).await.unwrap();
}

/// A pool whose sessions can be told from those of other tests.
fn named(pool: &PgPool) -> PgPool {
    let name = format!("mediator-{}", EventId::new());
    let options = sqlx::postgres::PgConnectOptions::clone(&pool.connect_options()).application_name(&name[..40]);
    sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options)
}

#[tokio::test]
async fn postgres_cut() {
    with_postgres("postgres_cut", async |pool| {
        let pool = named(&pool);
        let store = PostgresStore::new(pool.clone()).await.unwrap();
        store.record_alone(&event("{}")).await.unwrap();
        let mut open = store.begin().await.unwrap();
        store.record(&mut open, &event("{}")).await.unwrap();
        assert!(store.renew(&[], Duration::ZERO).await.unwrap().is_empty());
        cut(&pool).await;
        assert_eq!(kind(PostgresStore::commit(open).await), StoreErrorKind::Unreachable);
        // The pool may have seen it before.
        let claimed = match claim(&store).await {
            Err(error) if error.kind() == StoreErrorKind::Unreachable => claim(&store).await,
            other => other,
        };
        assert_eq!(claimed.unwrap(), 1, "one is recorded, and the worker goes on");
    })
    .await;
}

#[tokio::test]
async fn postgres_announces_again_after_a_cut() {
    with_postgres("postgres_announces_again_after_a_cut", async |pool| {
        let pool = named(&pool);
        let (speaker, listener) =
            (PostgresStore::new(pool.clone()).await.unwrap(), PostgresStore::new(pool.clone()).await.unwrap());
        for _ in 0..3 {
            let heard = async {
                // It may hear that it listens again before it hears anybody.
                listener.announced().await;
                tokio::time::sleep(Duration::from_millis(30)).await;
            };
            let spoken = async {
                loop {
                    speaker.announce().await;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                () = heard => {}
                () = spoken => {}
                () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nothing was heard"),
            }
            cut(&pool).await;
        }
    })
    .await;
}

#[tokio::test]
async fn postgres_announces_at_once_and_not_more_often_than_needed() {
    with_postgres("postgres_announces_at_once_and_not_more_often_than_needed", async |pool| {
        let (speaker, listener) =
            (PostgresStore::new(pool.clone()).await.unwrap(), PostgresStore::new(pool.clone()).await.unwrap());
        // That it listens.
        listener.announced().await;
        while tokio::time::timeout(Duration::from_millis(100), listener.announced()).await.is_ok() {}
        assert_eq!(listener.poll_interval(), Duration::from_secs(1));
        speaker.announce().await;
        tokio::time::timeout(Duration::from_secs(5), listener.announced()).await.expect("heard");
        while tokio::time::timeout(Duration::from_millis(100), listener.announced()).await.is_ok() {}
        let mut heard = 0;
        for _ in 0..1000 {
            speaker.announce().await;
        }
        while tokio::time::timeout(Duration::from_millis(200), listener.announced()).await.is_ok() {
            heard += 1;
        }
        assert!((1..20).contains(&heard), "{heard} for a thousand at once");
    })
    .await;
}

#[tokio::test]
async fn postgres_schemas_do_not_meet() {
    with_postgres("postgres_schemas_do_not_meet", async |one| {
        with_postgres("postgres_schemas_do_not_meet", async |other| {
            let (one, other) = (PostgresStore::new(one).await.unwrap(), PostgresStore::new(other).await.unwrap());
            one.record_alone(&event("{}")).await.unwrap();
            assert_eq!(claim(&other).await.unwrap(), 0);
            other.announced().await;
            while tokio::time::timeout(Duration::from_millis(100), other.announced()).await.is_ok() {}
            one.announce().await;
            let heard = tokio::time::timeout(Duration::from_millis(200), other.announced()).await;
            assert!(heard.is_err(), "another schema's announcement");
            assert_eq!(claim(&one).await.unwrap(), 1);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn postgres_read_only() {
    with_postgres("postgres_read_only", async |pool| {
        PostgresStore::new(pool.clone()).await.unwrap();
        let options = sqlx::postgres::PgConnectOptions::clone(&pool.connect_options());
        let read_only = PgPool::connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
        let store = PostgresStore::new(read_only).await.expect("there is nothing to migrate");
        assert_eq!(kind(store.record_alone(&event("{}")).await), StoreErrorKind::ReadOnly);
        assert_eq!(kind(claim(&store).await), StoreErrorKind::ReadOnly);
    })
    .await;
}

#[tokio::test]
async fn postgres_of_a_newer_version_and_started_many_times_at_once() {
    with_postgres("postgres_of_a_newer_version_and_started_many_times_at_once", async |pool| {
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let pool = pool.clone();
            starting.spawn(async move { PostgresStore::new(pool).await.map(|_| ()) });
        }
        for started in starting.join_all().await {
            started.unwrap();
        }
        let newer = AssertSqlSafe("UPDATE mediator_schema SET version = version + 1");
        sqlx::query(newer).execute(&pool).await.unwrap();
        assert_eq!(kind(PostgresStore::new(pool).await), StoreErrorKind::NewerSchema);
    })
    .await;
}
