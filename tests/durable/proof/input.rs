//! What is too large, broken, full or locked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_tests::{Database, Happened, Postgres, Sqlite};
use mediator_core::prelude::*;
use mediator_core::{Mediator, PublishErrorKind};
use mediator_outbox::store::Store;
use mediator_outbox::{Outbox, PostgresOutbox, SqliteOutbox, State, StoreError, StoreErrorKind};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::home::{Home, until};

on_each_database! {
    payloads_that_cannot_be_decoded_are_dead_at_once_and_hold_nobody_up
    texts_may_be_large_and_contain_nul
}

/// Something with a text.
#[event(name = "proof.said", key = key)]
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    key: String,
    text: String,
}

fn say(text: impl Into<String>) -> Said {
    let text = text.into();
    Said::new(text.chars().take(3).collect(), text)
}

type Heard = Arc<Mutex<Vec<String>>>;

#[event_handler(durable, manual, name = "proof.hear", retry(attempts = 2, base = "1ms"))]
async fn hear(event: &Said, heard: Heard) -> Result<(), String> {
    heard.lock().unwrap().push(event.text.clone());
    if event.text.starts_with("fail") { Err(event.text.clone()) } else { Ok(()) }
}

async fn listening<D: Database>(home: &Home<D>, heard: &Heard) -> (Outbox<D::Store>, Mediator) {
    on(home.database.store().await.unwrap(), heard)
}

fn on<S: Store>(store: S, heard: &Heard) -> (Outbox<S>, Mediator) {
    let outbox = Outbox::in_store(store);
    let builder = Mediator::builder().without_discovery().provide(heard.clone());
    let mediator = builder.outbox(outbox.clone()).bind_fn(hear).build().unwrap();
    (outbox, mediator)
}

async fn payloads_that_cannot_be_decoded_are_dead_at_once_and_hold_nobody_up<D: Database>(home: Home<D>) {
    let (outbox, mediator) = home.mediator(&["once", "least", "followed"]).await;
    for number in 0..10 {
        mediator.publish(Happened::new(2 * number)).await.unwrap();
    }
    for (row, payload) in [(3, r#"{"number": "three"}"#), (4, "[]"), (5, "null"), (6, "{}")] {
        home.database.execute(&format!("UPDATE mediator_event SET payload = '{payload}' WHERE id = {row}")).await;
    }
    home.finish(&["once", "least", "followed"]).await;
    assert_eq!(home.database.effects("once").await.len(), 6);
    let dead = outbox.deliveries().in_state(State::Dead).list().await.unwrap();
    assert_eq!(dead.len(), 8);
    for it in dead {
        assert_eq!(it.attempts, 1);
        let error = it.last_error.unwrap();
        assert!(error.starts_with("the event cannot be decoded: "), "{error}");
    }
}

async fn texts_may_be_large_and_contain_nul<D: Database>(home: Home<D>) {
    let heard = Heard::default();
    let (outbox, mediator) = listening(&home, &heard).await;
    let texts = ["x".repeat(10 << 20), "a\0b".to_owned(), "\0\0".to_owned(), "fail\0ure".to_owned(), String::new()];
    for text in &texts {
        mediator.publish(say(text.clone())).await.unwrap();
    }
    let worker = outbox.worker(&mediator).start();
    home.until_finished(&outbox).await;
    worker.shutdown(Duration::from_secs(60)).await;
    let mut heard = heard.lock().unwrap().clone();
    heard.sort();
    heard.dedup();
    let mut expected = texts.to_vec();
    expected.sort();
    assert!(heard == expected, "not all texts arrived as they were");
    let dead = outbox.deliveries().in_state(State::Dead).list().await.unwrap();
    assert_eq!(dead.len(), 1);
    let error = dead[0].last_error.as_deref().unwrap();
    assert!(error.contains("fail") && error.contains("ure"), "{error}");
}

/// The store's error in that of a publish.
fn of_store(error: &PublishError) -> &StoreError {
    assert_eq!(error.kind(), PublishErrorKind::NotRecorded, "{error:#}");
    error.downcast_ref().unwrap_or_else(|| panic!("not an error of the store: {error:#}"))
}

async fn open(path: &Path, change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    SqlitePoolOptions::new().max_connections(4).connect_with(change(options)).await.unwrap()
}

#[test]
fn a_full_disk_is_an_error_that_says_so_and_loses_nothing() {
    crate::home::run::<Sqlite, _>("a_full_disk", |home| async move {
        let Some(disk) = Disk::mount(&home.folder.path().join("disk")) else {
            return println!("skipped: a_full_disk_is_an_error_that_says_so_and_loses_nothing: no disk can be mounted");
        };
        let heard = Heard::default();
        let pool = open(&disk.0.join("full.db"), |options| options).await;
        let (outbox, mediator) =
            on(mediator_outbox::store::SqliteStore::new(pool, Default::default()).await.unwrap(), &heard);
        let mut published = 0;
        std::fs::write(disk.0.join("ballast"), vec![0; 1 << 20]).unwrap();
        let error = loop {
            match mediator.publish(say(format!("{published} {}", "x".repeat(20_000)))).await {
                Ok(()) => published += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(of_store(&error).kind(), StoreErrorKind::Full, "{error:#}");
        assert!(of_store(&error).to_string().contains("the disk is full"), "{error:#}");
        // It waits for room.
        let worker = outbox.worker(&mediator).start();
        std::fs::remove_file(disk.0.join("ballast")).unwrap();
        until("everything is delivered", async || outbox.stats().await.is_ok_and(|stats| stats.unfinished() == 0))
            .await;
        worker.shutdown(Duration::from_secs(60)).await;
        assert!(published > 0);
        assert!(heard.lock().unwrap().len() >= published);
        assert_eq!(outbox.stats().await.unwrap().dead(), 0);
    });
}

/// A small disk.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(path).stderr(std::process::Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Even while it is used.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_read_only_database_is_an_error_that_says_so() {
    crate::home::run::<Sqlite, _>("a_read_only_database", |home| async move {
        drop(home.database.store().await.unwrap());
        let pool = open(&home.folder.path().join("proof.db"), |options| options.read_only(true)).await;
        let outbox = SqliteOutbox::new(pool).await.unwrap();
        read_only_is_said(&outbox).await;
    });
    crate::home::run::<Postgres, _>("input::a_read_only_database_is_an_error_that_says_so", |home| async move {
        drop(home.database.store().await.unwrap());
        let options = home.database.pool.connect_options();
        let options = sqlx::postgres::PgConnectOptions::clone(&options);
        let pool = PgPoolOptions::new().connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
        let outbox = PostgresOutbox::new(pool).await.unwrap();
        read_only_is_said(&outbox).await;
    });
}

async fn read_only_is_said<S: Store>(outbox: &Outbox<S>) {
    let builder = Mediator::builder().without_discovery().provide(Heard::default());
    let mediator = builder.outbox(outbox.clone()).bind_fn(hear).build().unwrap();
    let error = mediator.publish(say("x")).await.unwrap_err();
    assert_eq!(of_store(&error).kind(), StoreErrorKind::ReadOnly, "{error:#}");
    assert!(of_store(&error).to_string().contains("the database is read-only"), "{error:#}");
    let error = outbox.worker(&mediator).drain().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error:?}");
    // A database that cannot be written to has nothing to do, and is still read.
    assert_eq!(outbox.stats().await.unwrap().unfinished(), 0);
}

#[test]
fn a_locked_database_is_an_error_with_advice_and_workers_wait() {
    crate::home::run::<Sqlite, _>("a_locked_database", |home| async move {
        let heard = Heard::default();
        let path = home.folder.path().join("proof.db");
        let pool = open(&path, |options| options.busy_timeout(Duration::from_millis(50))).await;
        let (outbox, mediator) =
            on(mediator_outbox::store::SqliteStore::new(pool, Default::default()).await.unwrap(), &heard);
        mediator.publish(say("before")).await.unwrap();
        let lock = home.database.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let error = mediator.publish(say("meanwhile")).await.unwrap_err();
        assert_eq!(of_store(&error).kind(), StoreErrorKind::Locked, "{error:#}");
        assert!(of_store(&error).to_string().contains(".with(&mut *tx)"), "{error:#}");
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap_err().kind(), StoreErrorKind::Locked);
        let worker = outbox.worker(&mediator).start();
        lock.rollback().await.unwrap();
        home.until_finished(&outbox).await;
        worker.shutdown(Duration::from_secs(60)).await;
        assert_eq!(*heard.lock().unwrap(), ["before"]);
    });
    crate::home::run::<Postgres, _>("input::a_locked_database_is_an_error_with_advice", |home| async move {
        let heard = Heard::default();
        drop(home.database.store().await.unwrap());
        let options = sqlx::postgres::PgConnectOptions::from_str(&home.database.url()).unwrap();
        let pool = PgPoolOptions::new().connect_lazy_with(options.options([("lock_timeout", "50ms")]));
        let (outbox, mediator) = on(mediator_outbox::store::PostgresStore::new(pool).await.unwrap(), &heard);
        mediator.publish(say("before")).await.unwrap();
        let mut lock = home.database.pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE mediator_delivery, mediator_event").execute(&mut *lock).await.unwrap();
        let error = mediator.publish(say("meanwhile")).await.unwrap_err();
        assert_eq!(of_store(&error).kind(), StoreErrorKind::Locked, "{error:#}");
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap_err().kind(), StoreErrorKind::Locked);
        let worker = outbox.worker(&mediator).start();
        lock.rollback().await.unwrap();
        home.until_finished(&outbox).await;
        worker.shutdown(Duration::from_secs(60)).await;
        assert_eq!(*heard.lock().unwrap(), ["before"]);
    });
}
