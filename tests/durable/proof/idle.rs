//! Workers that have nothing to do.

use std::sync::Arc;

use durable_tests::{Database, Happened, Hook, Sqlite, Watched};
use mediator_core::Mediator;
use mediator_outbox::Outbox;
use tokio::sync::watch;

use crate::home::Home;

/// How often a worker has asked what is due, and looked for something to purge.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    asked: u64,
    purged: u64,
}

/// Compares marks of what was written to a database, while its worker is idle.
async fn an_idle_worker_writes_nothing<D: Database>(home: Home<D>, mut written: impl AsyncFnMut() -> i64) {
    let steps = watch::Sender::new(Steps::default());
    let hook: Hook = Arc::new({
        let steps = steps.clone();
        move |step| {
            match step {
                "after next due" => steps.send_modify(|steps| steps.asked += 1),
                "after purge" => steps.send_modify(|steps| steps.purged += 1),
                _ => {}
            }
            Box::pin(std::future::ready(Ok(())))
        }
    });
    let outbox = Outbox::in_store(Watched::new(home.database.store().await.unwrap(), hook));
    let builder = Mediator::builder().without_discovery().provide(home.journal.clone());
    let mediator = D::bind(builder.outbox(outbox.clone()), &["once", "least", "followed"]).build().unwrap();
    mediator.publish(Happened::new(2)).await.unwrap();
    let worker = outbox.worker(&mediator).start();
    home.until_finished(&outbox).await;
    let wait = async |asked, purged| {
        let from = *steps.borrow();
        let enough = |steps: &Steps| steps.asked >= from.asked + asked && steps.purged >= from.purged + purged;
        steps.subscribe().wait_for(enough).await.expect("a sender");
    };
    // The events are purged.
    wait(0, 2).await;
    let before = written().await;
    wait(5, 1).await;
    assert_eq!(written().await, before);
    mediator.publish(Happened::new(4)).await.unwrap();
    assert_ne!(written().await, before, "it would have been noticed");
    drop(worker);
}

#[test]
fn an_idle_worker_writes_nothing_to_sqlite() {
    crate::home::run::<Sqlite, _>("idle::an_idle_worker_writes_nothing_to_sqlite", |home| async move {
        let mut connection = home.database.pool.acquire().await.unwrap();
        an_idle_worker_writes_nothing(home, async || {
            // Changes with each commit of another connection.
            sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut *connection).await.unwrap()
        })
        .await;
    });
}

#[test]
fn an_idle_worker_writes_nothing_to_postgres() {
    crate::server::run("idle::an_idle_worker_writes_nothing_to_postgres", |server, home| async move {
        let _stops_at_the_end = server;
        let pool = home.database.pool.clone();
        an_idle_worker_writes_nothing(home, async || {
            let position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
            sqlx::query_scalar(position).fetch_one(&pool).await.unwrap()
        })
        .await;
    });
}
