//! How workers end, and what they do to the database when there is nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_tests::{Database, Happened, Hook, Watched};
use mediator_core::Mediator;
use mediator_core::prelude::*;
use mediator_outbox::store::Store;
use mediator_outbox::{Outbox, State, StoreError, StoreErrorKind};
use tokio::time::timeout;

use crate::gate::{Gate, gated};
use crate::home::{Home, random, until};

on_each_database! {
    a_shutdown_gives_back_what_was_not_started_and_waits_for_what_runs
    a_shutdown_cancels_what_runs_for_too_long
    a_shutdown_waits_no_longer_than_it_may_while_a_delivery_of_a_crashed_worker_waits_to_run_alone
    a_worker_that_is_dropped_cancels_what_runs
    a_handler_that_never_yields_keeps_its_lease
    a_store_that_fails_at_each_step_loses_nothing
    what_has_ended_is_settled_after_an_error_while_another_handler_runs
}

/// A mediator with the handler at the gate, in a store with a hook.
async fn gated_by<D: Database>(home: &Home<D>, gate: &Gate, hook: Hook) -> (Outbox<Watched<D::Store>>, Mediator) {
    let outbox = Outbox::in_store(Watched::new(home.database.store().await.unwrap(), hook));
    let builder = Mediator::builder().without_discovery().provide(gate.clone());
    let mediator = builder.outbox(outbox.clone()).bind_fn(gated).build().unwrap();
    (outbox, mediator)
}

fn no_hook() -> Hook {
    Arc::new(|_| Box::pin(std::future::ready(Ok(()))))
}

async fn publish_all(mediator: &Mediator, numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        mediator.publish(Happened::new(number)).await.unwrap();
    }
}

async fn a_shutdown_gives_back_what_was_not_started_and_waits_for_what_runs<D: Database>(home: Home<D>) {
    let gate = Gate::shut();
    let (outbox, mediator) = gated_by(&home, &gate, no_hook()).await;
    publish_all(&mediator, 0..100).await;
    publish_all(&mediator, [-1]).await;
    publish_all(&mediator, 101..200).await;
    let worker = outbox.worker(&mediator).concurrency(1).start();
    gate.started(-1).await;
    let claimed = outbox.stats().await.unwrap().running();
    let shutdown = tokio::spawn(worker.shutdown(Duration::from_secs(300)));
    until("what was not started is given back", async || outbox.stats().await.unwrap().running() == 1).await;
    assert!(!shutdown.is_finished());
    gate.open();
    shutdown.await.unwrap();
    let left = outbox.deliveries().limit(1_000).list().await.unwrap();
    assert!(left.iter().all(|it| it.state == State::Ready && it.attempts == 0), "{left:?}");
    assert_eq!(left.len() + gate.runs().len(), 200, "what runs has finished");
    println!("{} were claimed while one ran", claimed - 1);
}

async fn a_shutdown_cancels_what_runs_for_too_long<D: Database>(home: Home<D>) {
    let gate = Gate::shut();
    let (outbox, mediator) = gated_by(&home, &gate, no_hook()).await;
    publish_all(&mediator, [-1]).await;
    let worker = outbox.worker(&mediator).start();
    gate.started(-1).await;
    worker.shutdown(Duration::ZERO).await;
    gate.ended(-1).await;
    let left = outbox.deliveries().list().await.unwrap();
    let [delivery] = &*left else { panic!("{left:?}") };
    assert_eq!((delivery.state, delivery.attempts), (State::Ready, 1));
    assert!(delivery.last_error.as_deref().unwrap().contains("shut down"), "{delivery:?}");
    gate.open();
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 1);
}

async fn a_shutdown_waits_no_longer_than_it_may_while_a_delivery_of_a_crashed_worker_waits_to_run_alone<D: Database>(
    home: Home<D>,
) {
    let gate = Gate::shut();
    let (outbox, mediator) = gated_by(&home, &gate, no_hook()).await;
    publish_all(&mediator, [-1]).await;
    let worker = outbox.worker(&mediator).start();
    gate.started(-1).await;
    let crashed = Happened::new(1);
    let id = crashed.event_id;
    mediator.schedule(crashed, Duration::from_secs(3600)).await.unwrap();
    home.database
        .execute("UPDATE mediator_delivery SET state = 1, attempts = 1, due_at = recorded_at WHERE state = 0")
        .await;
    let of_crashed = outbox.deliveries().of_event_id(id);
    until("it is taken over", async || of_crashed.list().await.unwrap()[0].attempts == 2).await;
    let shutdown = timeout(Duration::from_secs(60), worker.shutdown(Duration::ZERO)).await;
    assert!(shutdown.is_ok(), "the shutdown waits for a handler that does not end");
    let left = of_crashed.list().await.unwrap();
    assert_eq!((left[0].state, left[0].attempts), (State::Ready, 1), "it is given back");
    gate.open();
    assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 2);
}

async fn a_worker_that_is_dropped_cancels_what_runs<D: Database>(home: Home<D>) {
    let gate = Gate::shut();
    let (outbox, mediator) = gated_by(&home, &gate, no_hook()).await;
    publish_all(&mediator, [-1]).await;
    let worker = outbox.worker(&mediator).lease(Duration::from_secs(1)).start();
    gate.started(-1).await;
    drop(worker);
    gate.ended(-1).await;
    // Nobody renews its lease any more.
    gate.open();
    let other = outbox.worker(&mediator).start();
    home.until_nothing_is_left(&outbox).await;
    assert_eq!(gate.runs(), [(-1, 1), (-1, 2)]);
    other.shutdown(Duration::from_secs(60)).await;
}

/// The runtime's thread that waits for the database may be the one that runs the handler; the other worker, in a runtime of its
/// own, would take over what is not renewed.
async fn a_handler_that_never_yields_keeps_its_lease<D: Database>(home: Home<D>) {
    const LEASE: Duration = Duration::from_secs(5);
    #[event_handler(durable, manual, name = "proof.blocks")]
    async fn blocks(_event: &Happened, runs: Arc<AtomicU32>) {
        runs.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(3 * LEASE);
    }
    let runs = Arc::new(AtomicU32::new(0));
    let others = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut workers = Vec::new();
    for handle in [tokio::runtime::Handle::current(), others.handle().clone()] {
        let (runs, url) = (runs.clone(), home.database.url());
        let worker = handle.spawn(async move {
            let outbox = Outbox::in_store(D::connect(&url).await.store().await.unwrap());
            let builder = Mediator::builder().without_discovery().provide(runs);
            let mediator = builder.outbox(outbox.clone()).bind_fn(blocks).build().unwrap();
            let worker = outbox.worker(&mediator).lease(LEASE).start();
            (outbox, mediator, worker)
        });
        workers.push(worker.await.unwrap());
    }
    let (outbox, mediator, _) = &workers[0];
    mediator.publish(Happened::new(1)).await.unwrap();
    home.until_finished(outbox).await;
    for (_, _, worker) in workers {
        worker.shutdown(Duration::from_secs(60)).await;
    }
    others.shutdown_background();
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

/// Everything is delivered by the one worker, however its store fails meanwhile; the leases that it renews without knowing what
/// for would hold deliveries for ever.
async fn a_store_that_fails_at_each_step_loses_nothing<D: Database>(home: Home<D>) {
    let random = Arc::new(std::sync::Mutex::new(random()));
    let failures = Arc::new(AtomicU32::new(0));
    let hook: Hook = Arc::new({
        let failures = failures.clone();
        move |step| {
            let is_users = step.contains("record");
            let fails = !is_users && failures.load(Ordering::Relaxed) < 60 && random.lock().unwrap().u8(..) < 80;
            failures.fetch_add(u32::from(fails), Ordering::Relaxed);
            let error = || StoreError::new("go on", StoreErrorKind::Unreachable, None);
            Box::pin(std::future::ready(if fails { Err(error()) } else { Ok(()) }))
        }
    });
    let outbox = Outbox::in_store(Watched::new(home.database.store().await.unwrap(), hook));
    let builder = Mediator::builder().without_discovery().provide(home.journal.clone());
    let mediator = D::bind(builder.outbox(outbox.clone()), &["once", "least", "followed"]).build().unwrap();
    publish_all(&mediator, (0..30).map(|number| 2 * number)).await;
    let worker = outbox.worker(&mediator).lease(Duration::from_millis(500)).retry_attempts(1_000);
    let worker = worker.retry_base(Duration::from_millis(5)).start();
    home.until_nothing_is_left(&outbox).await;
    worker.shutdown(Duration::from_secs(60)).await;
    assert_eq!(home.check(&(0..30).map(|number| 2 * number).collect()).await.len(), 30);
    println!("{} failures of the store", failures.load(Ordering::Relaxed));
}

async fn what_has_ended_is_settled_after_an_error_while_another_handler_runs<D: Database>(home: Home<D>) {
    let gate = Gate::shut();
    let failures = Arc::new(AtomicU32::new(0));
    let hook: Hook = Arc::new(move |step| {
        let fails = step == "before complete" && failures.fetch_add(1, Ordering::Relaxed) == 0;
        let error = || StoreError::new("go on", StoreErrorKind::Unreachable, None);
        Box::pin(std::future::ready(if fails { Err(error()) } else { Ok(()) }))
    });
    let (outbox, mediator) = gated_by(&home, &gate, hook).await;
    publish_all(&mediator, [-1, 1]).await;
    let worker = outbox.worker(&mediator).start();
    gate.started(-1).await;
    until("the other one is done", async || outbox.stats().await.unwrap().unfinished() == 1).await;
    gate.open();
    worker.shutdown(Duration::from_secs(60)).await;
    home.nothing_is_left().await;
}

impl<D: Database> Home<D> {
    async fn until_nothing_is_left<S: Store>(&self, outbox: &Outbox<S>) {
        self.until_finished(outbox).await;
        self.nothing_is_left().await;
    }
}
