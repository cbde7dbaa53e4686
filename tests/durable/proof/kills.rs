//! Processes that are killed.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_tests::{Database, Deadly, Happened, Plan};
use mediator_outbox::State;
use tokio::time::sleep;

use crate::home::{Home, random, rounds, until};
use crate::node::Node;

on_each_database! {
    processes_killed_at_random_moments_lose_nothing
    processes_killed_at_each_point_lose_nothing
    a_handler_that_kills_its_process_ends_as_a_dead_letter_and_takes_no_neighbour_along
}

const HANDLERS: &[&str] = &["once", "least", "followed"];

/// As many as one process publishes: one of them fails at first.
const EACH: i64 = 14;

fn publishes_and_works<D: Database>(home: &Home<D>, life: i64) -> Plan {
    Plan { publishes: life * EACH..(life + 1) * EACH, works: true, ..home.plan(HANDLERS) }
}

async fn processes_killed_at_random_moments_lose_nothing<D: Database>(home: Home<D>) {
    let mut random = random();
    let mut lives = 0..;
    let mut next = || publishes_and_works(&home, lives.next().expect("there is no end of them"));
    let mut acknowledged = BTreeSet::new();
    let mut nodes = vec![Node::ready(&next()).await, Node::ready(&next()).await];
    for _ in 0..rounds() {
        // A random moment is what is wanted.
        sleep(Duration::from_micros(random.u64(0..100_000))).await;
        let killed = nodes.swap_remove(random.usize(0..nodes.len()));
        acknowledged.extend(killed.kill().await);
        nodes.push(Node::ready(&next()).await);
    }
    for node in nodes {
        acknowledged.extend(node.kill().await);
    }
    home.finish(HANDLERS).await;
    let delivered = home.check(&acknowledged).await;
    home.nothing_is_left().await;
    println!("{} kills, {} events acknowledged, {} delivered", rounds() + 2, acknowledged.len(), delivered.len());
}

const POINTS: &[&str] = &[
    "before record",
    "after record",
    "before record alone",
    "after record alone",
    "before the user's commit",
    "after the user's commit",
    "before claim",
    "after claim",
    "before events",
    "after events",
    "before begin",
    "in once, before it writes",
    "in once, after it has written",
    "in once, after it has published",
    "before complete within",
    "after complete within",
    "before commit",
    "after commit",
    "in followed",
    "in least",
    "before complete",
    "after complete",
    "before fail",
    "after fail",
    "before renew",
    "after renew",
];

async fn processes_killed_at_each_point_lose_nothing<D: Database>(home: Home<D>) {
    let mut acknowledged = BTreeSet::new();
    for (life, point) in (0..).zip(POINTS) {
        let mut node = Node::start(&Plan { halts: Some((*point).to_owned()), ..publishes_and_works(&home, life) });
        node.until(&format!("at {point}")).await;
        acknowledged.extend(node.kill().await);
    }
    home.finish(HANDLERS).await;
    home.check(&acknowledged).await;
    home.nothing_is_left().await;
}

async fn a_handler_that_kills_its_process_ends_as_a_dead_letter_and_takes_no_neighbour_along<D: Database>(
    home: Home<D>,
) {
    const NEIGHBOURS: i64 = 30;
    let handlers = [HANDLERS, &["deadly"]].concat();
    let (outbox, mediator) = home.mediator(&handlers).await;
    for number in (0..NEIGHBOURS).map(|number| 2 * number) {
        mediator.publish(Happened::new(number)).await.unwrap();
        if number == NEIGHBOURS {
            mediator.publish(Deadly::new(number)).await.unwrap();
        }
    }
    // As few attempts as the deadly one has.
    let lease = Duration::from_secs(3);
    let plan = Plan { works: true, attempts: 3, lease, ..home.plan(&handlers) };
    let mut crashes = 0;
    let mut nodes = [Node::ready(&plan).await, Node::ready(&plan).await];
    until("one is dead, and all others are done", async || {
        for node in &mut nodes {
            if node.has_ended() {
                crashes += 1;
                *node = Node::ready(&plan).await;
            }
        }
        let stats = outbox.stats().await.unwrap();
        stats.unfinished() == 0 && stats.dead() > 0
    })
    .await;
    for node in nodes {
        node.stop().await;
    }
    assert_eq!(crashes, 3, "one for each attempt");
    assert_eq!(home.check(&BTreeSet::new()).await.len(), 30);
    // One that a crash cut off, one alone; one more of those that fail at first.
    for run in home.journal.runs().iter().filter(|run| run.handler != "deadly") {
        let attempts = 2 + u32::from(run.handler == "least" && run.number % 7 == 0);
        assert!(run.attempt <= attempts, "{run:?}");
    }
    let left = outbox.deliveries().list().await.unwrap();
    let [dead] = &*left else { panic!("only one is left: {left:?}") };
    assert_eq!((&*dead.handler, dead.state), ("proof.deadly", State::Dead));
    let error = dead.last_error.as_deref().unwrap();
    assert!(error.contains("attempt 3 did not finish"), "{error}");
}
