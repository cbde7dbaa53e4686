//! Publishing needs no particular executor, and none at all.
#![allow(missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use mediator_core::prelude::*;
use mediator_tests::{Log, pending};

#[event]
struct OrderPlaced {
    order_id: u32,
}

#[event]
struct StockReserved {
    order_id: u32,
}

#[event_handler]
async fn reserve_stock(event: &OrderPlaced, publisher: Publisher) -> anyhow::Result<()> {
    pending(2).await;
    Ok(publisher.publish(StockReserved::new(event.order_id)).await?)
}

#[event_handler]
async fn update_stats(event: &OrderPlaced, log: Log) {
    pending(1).await;
    log.add(format!("order {}", event.order_id));
}

#[event_handler]
async fn update_stock(event: &StockReserved, log: Log) {
    pending(1).await;
    log.add(format!("stock {}", event.order_id));
}

fn mediator() -> (Mediator, Log) {
    let log = Log::default();
    (Mediator::builder().provide(log.clone()).build().unwrap(), log)
}

/// Publishes in both ways and from an aggregate's events.
async fn publish_everything(mediator: Mediator) -> Result<(), PublishError> {
    mediator.publish(OrderPlaced::new(1)).await?;
    mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(2)).await?;
    mediator.publisher().publish_all(vec![Box::new(OrderPlaced::new(3)), Box::new(StockReserved::new(4))]).await
}

const EVERYTHING: [&str; 7] = ["stock 1", "order 1", "order 2", "stock 2", "stock 3", "order 3", "stock 4"];

#[test]
fn on_the_executor_of_futures() {
    let (mediator, log) = mediator();
    futures::executor::block_on(publish_everything(mediator)).unwrap();
    assert_eq!(log.entries(), EVERYTHING);
}

#[test]
fn on_a_pool_of_futures() {
    let (mediator, log) = mediator();
    let pool = futures::executor::ThreadPool::builder().pool_size(2).create().unwrap();
    let published = futures::task::SpawnExt::spawn_with_handle(&pool, publish_everything(mediator)).unwrap();
    futures::executor::block_on(published).unwrap();
    assert_eq!(log.entries(), EVERYTHING);
}

#[tokio::test(flavor = "current_thread")]
async fn on_tokio_with_one_thread() {
    let (mediator, log) = mediator();
    publish_everything(mediator.clone()).await.unwrap();
    assert_eq!(log.take(), EVERYTHING);
    tokio::spawn(publish_everything(mediator)).await.unwrap().unwrap();
    assert_eq!(log.entries(), EVERYTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_tokio_with_many_threads() {
    let (mediator, log) = mediator();
    tokio::spawn(publish_everything(mediator)).await.unwrap().unwrap();
    assert_eq!(log.entries(), EVERYTHING);
}

#[test]
#[cfg_attr(miri, ignore = "needs a timer of the system that Miri does not have")]
fn on_smol() {
    let (mediator, log) = mediator();
    smol::block_on(publish_everything(mediator.clone())).unwrap();
    assert_eq!(log.take(), EVERYTHING);
    smol::block_on(smol::spawn(publish_everything(mediator))).unwrap();
    assert_eq!(log.entries(), EVERYTHING);
}

const TASKS: u32 = if cfg!(miri) { 6 } else { 50 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_publish_through_one_mediator() {
    let (mediator, log) = mediator();
    let tasks = (0..TASKS).map(|order_id| {
        let mediator = mediator.clone();
        tokio::spawn(async move {
            if order_id % 2 == 0 {
                mediator.publish(OrderPlaced::new(order_id)).await
            } else {
                mediator.publisher().publish_with(&GroupEventPublisher, OrderPlaced::new(order_id)).await
            }
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap().unwrap();
    }
    let mut entries = log.entries();
    entries.sort();
    let mut expected: Vec<_> = (0..TASKS).flat_map(|id| [format!("order {id}"), format!("stock {id}")]).collect();
    expected.sort();
    assert_eq!(entries, expected);
}

#[derive(Notification)]
struct Slow(Arc<tokio::sync::Notify>);

#[event_handler]
async fn takes_forever(event: &Slow, log: Log) {
    let _dropped = log.on_drop("dropped");
    event.0.notify_one();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_task_drops_the_handler() {
    let (mediator, log) = mediator();
    let running = Arc::new(tokio::sync::Notify::new());
    let event = Slow(running.clone());
    let task = tokio::spawn(async move { mediator.publish(event).await });
    running.notified().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(log.entries(), ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_drops_the_handler() {
    let (mediator, log) = mediator();
    let publish = mediator.publish(Slow(Arc::default()));
    assert!(tokio::time::timeout(Duration::from_secs(60), publish).await.is_err());
    assert_eq!(log.entries(), ["dropped"]);
}

#[derive(Notification)]
struct Sleepy;

#[event_handler]
async fn sleeps(_event: &Sleepy, log: Log) {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    log.add("slept");
}

#[event_handler]
async fn sleeps_less(_event: &Sleepy, log: Log) {
    tokio::time::sleep(Duration::from_secs(1800)).await;
    log.add("slept less");
}

#[tokio::test(start_paused = true)]
async fn handlers_may_use_the_runtime_they_run_on() {
    let (mediator, log) = mediator();
    let start = tokio::time::Instant::now();
    mediator.publish_with(&GroupEventPublisher, Sleepy).await.unwrap();
    assert_eq!(log.take(), ["slept less", "slept"]);
    assert_eq!(start.elapsed().as_secs(), 3600);
    mediator.publish(Sleepy).await.unwrap();
    assert_eq!(log.take(), ["slept", "slept less"]);
    assert_eq!(start.elapsed().as_secs(), 3600 + 5400);
}
