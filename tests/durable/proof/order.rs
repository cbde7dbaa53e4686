//! Keys, and clocks that jump.

use std::collections::BTreeMap;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use durable_tests::{Database, Happened, InOrder, Plan, Run, Sqlite};
use mediator_core::Mediator;
use mediator_outbox::store::{Claim, SqliteStore, Store as _, Wanted};
use mediator_outbox::{Clock, SqliteOutbox, State};

use crate::gate::{Gate, gated};
use crate::home::{Home, random, until};
use crate::node::Node;

on_each_database! {
    each_key_goes_in_order_through_retries_and_two_processes_of_which_one_is_killed
}

async fn each_key_goes_in_order_through_retries_and_two_processes_of_which_one_is_killed<D: Database>(home: Home<D>) {
    const KEYS: i64 = 8;
    const EACH: i64 = 25;
    let mut random = random();
    let (outbox, mediator) = home.mediator(&["ordered"]).await;
    let plan = Plan { works: true, ..home.plan(&["ordered"]) };
    let (killed, other) = (Node::ready(&plan).await, Node::ready(&plan).await);
    let mut next = [0; KEYS as usize];
    while next.iter().any(|&next| next < EACH) {
        let mut tx = outbox.begin().await.unwrap();
        for _ in 0..random.u32(1..10) {
            let key = random.usize(0..next.len());
            if next[key] < EACH {
                let failures = u32::from(random.u8(0..10) == 0) * random.u32(1..3);
                let event = InOrder::new(format!("key {key}"), next[key], failures);
                mediator.with(&mut *tx).publish(event).await.unwrap();
                next[key] += 1;
            }
        }
        tx.commit().await.unwrap();
    }
    until("some are done", async || home.database.effects("ordered").await.len() > 20).await;
    killed.kill().await;
    home.until_finished(&outbox).await;
    other.stop().await;
    for key in 0..KEYS {
        let effects = "SELECT number FROM effect WHERE handler = 'ordered'";
        let effects = home.database.numbers(&format!("{effects} AND key = 'key {key}' ORDER BY id")).await;
        assert_eq!(effects, (0..EACH).collect::<Vec<_>>(), "key {key}");
    }
    no_successor_starts_early(&home.journal.runs());
    home.nothing_is_left().await;
}

/// None starts before the one in front of it in its key has ended.
fn no_successor_starts_early(runs: &[Run]) {
    let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for run in runs {
        by_key.entry(&run.key).or_default().push(run);
    }
    for runs in by_key.values() {
        for pair in runs.windows(2) {
            assert!(pair[0].number <= pair[1].number, "{pair:?}");
            // Those that were killed have no end.
            assert!(pair[0].ended.is_none_or(|ended| ended.0 <= pair[1].started), "{pair:?}");
        }
    }
}

/// Outboxes on one file, each with a clock of its own.
async fn with_clock(home: &Home<Sqlite>, clock: &Clock, gate: &Gate) -> (SqliteOutbox, Mediator) {
    let outbox = SqliteOutbox::with_clock(home.database.pool.clone(), clock.clone()).await.unwrap();
    let builder = Mediator::builder().without_discovery().provide(gate.clone());
    let mediator = builder.outbox(outbox.clone()).bind_fn(gated).build().unwrap();
    (outbox, mediator)
}

#[test]
fn a_clock_that_jumps_ahead_ends_leases_and_what_was_delivered_before_is_fenced_off() {
    crate::home::run::<Sqlite, _>("a_clock_that_jumps_ahead", |home| async move {
        let clock = Clock::fixed(SystemTime::now());
        let gate = Gate::shut();
        let (outbox, mediator) = with_clock(&home, &clock, &gate).await;
        mediator.publish(Happened::new(-1)).await.unwrap();
        let drain = outbox.worker(&mediator).lease(Duration::from_secs(600));
        let first = tokio::spawn(drain.drain());
        gate.started(-1).await;
        clock.advance(Duration::from_secs(601));
        gate.open();
        let (other, other_mediator) = with_clock(&home, &clock, &gate).await;
        let second = other.worker(&other_mediator).drain().await.unwrap();
        let first = first.await.unwrap().unwrap();
        // Whoever comes first; the lease that was lost completes nothing unless nobody has taken it up.
        assert_eq!(first.done + second.done, 1, "{first:?} {second:?}");
        home.nothing_is_left().await;
    });
}

#[test]
fn a_renewal_that_had_to_wait_counts_from_its_end() {
    crate::home::run::<Sqlite, _>("a_renewal_that_had_to_wait", |home| async move {
        const LEASE: Duration = Duration::from_secs(60);
        let clock = Clock::fixed(SystemTime::now());
        let gate = Gate::shut();
        let (outbox, mediator) = with_clock(&home, &clock, &gate).await;
        mediator.publish(Happened::new(1)).await.unwrap();
        let wanted = [Wanted { handler: "proof.gated", event: "proof.happened", version: 1, limit: 1 }];
        let claim = Claim { owner: uuid::Uuid::nil(), lease: LEASE, wanted: &wanted };
        let claimed = outbox.store().claim(&claim).await.unwrap();
        // A handler writes meanwhile.
        let transaction = outbox.store().begin().await.unwrap();
        let leases = [claimed[0].lease];
        let mut renewal = std::pin::pin!(outbox.store().renew(&leases, LEASE));
        let waits = std::future::poll_fn(|context| Poll::Ready(renewal.as_mut().poll(context).is_pending()));
        assert!(waits.await);
        clock.advance(Duration::from_secs(30));
        SqliteStore::commit(transaction).await.unwrap();
        assert_eq!(renewal.await.unwrap(), [leases[0].delivery]);
        let ends = outbox.deliveries().list().await.unwrap()[0].due_at;
        assert_eq!(ends.duration_since(clock.now()).unwrap().as_secs_f64().round(), LEASE.as_secs_f64());
    });
}

#[test]
fn a_clock_that_jumps_back_delays_and_loses_nothing() {
    crate::home::run::<Sqlite, _>("a_clock_that_jumps_back", |home| async move {
        let now = SystemTime::now();
        let gate = Gate::shut();
        let ahead = Clock::fixed(now + Duration::from_secs(3600));
        let (_, mediator) = with_clock(&home, &ahead, &gate).await;
        mediator.publish(Happened::new(1)).await.unwrap();
        let back = Clock::fixed(now);
        let (outbox, mediator) = with_clock(&home, &back, &gate).await;
        mediator.publish(Happened::new(2)).await.unwrap();
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 1);
        let left = outbox.deliveries().list().await.unwrap();
        assert_eq!(left.iter().map(|it| it.state).collect::<Vec<_>>(), [State::Ready]);
        back.advance(Duration::from_secs(3600));
        assert_eq!(outbox.worker(&mediator).drain().await.unwrap().done, 1);
        assert_eq!(gate.runs(), [(2, 1), (1, 1)]);
    });
}
