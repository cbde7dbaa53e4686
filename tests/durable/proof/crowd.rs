//! Many processes, many deliveries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use durable_tests::{Database, Happened, Plan, Run};
use tokio::time::sleep;

use crate::home::{Home, from_env, random};
use crate::node::Node;

on_each_database! {
    four_processes_lose_nothing_and_run_nothing_twice_at_a_time
    processes_that_start_at_once_and_are_killed_make_the_tables_once
}

const HANDLERS: &[&str] = &["once", "least", "followed"];

async fn four_processes_lose_nothing_and_run_nothing_twice_at_a_time<D: Database>(home: Home<D>) {
    // Three deliveries each.
    let events = i64::try_from(from_env("MEDIATOR_TEST_DELIVERIES", 2_000).div_ceil(3)).unwrap();
    let (outbox, mediator) = home.mediator(HANDLERS).await;
    let plan = Plan { works: true, lease: Duration::from_secs(120), ..home.plan(HANDLERS) };
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(Node::ready(&plan).await);
    }
    let ids: BTreeSet<_> = nodes.iter().map(Node::id).collect();
    let mut published = 0;
    while published < events || !all_have_worked(&home, &ids) {
        let mut tx = outbox.begin().await.unwrap();
        for number in (published..published + 100).map(|number| 2 * number) {
            mediator.with(&mut *tx).publish(Happened::new(number)).await.unwrap();
        }
        tx.commit().await.unwrap();
        published += 100;
        if published >= events {
            home.until_finished(&outbox).await;
        }
    }
    for node in nodes {
        node.stop().await;
    }
    let delivered = home.check(&BTreeSet::new()).await;
    assert_eq!(delivered.len(), usize::try_from(published).unwrap());
    home.nothing_is_left().await;
    let runs = home.journal.runs();
    nothing_overlaps(&runs);
    println!("{} deliveries, {} runs, by process: {:?}", 3 * published, runs.len(), by_process(&runs));
}

fn all_have_worked<D: Database>(home: &Home<D>, ids: &BTreeSet<u32>) -> bool {
    by_process(&home.journal.runs()).keys().copied().collect::<BTreeSet<_>>() == *ids
}

fn by_process(runs: &[Run]) -> BTreeMap<u32, usize> {
    let mut by_process = BTreeMap::new();
    for run in runs {
        *by_process.entry(run.process).or_default() += 1;
    }
    by_process
}

/// No delivery runs twice at a time, and each attempt is made once.
fn nothing_overlaps(runs: &[Run]) {
    let mut by_delivery: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for run in runs {
        by_delivery.entry((&run.handler, run.number)).or_default().push(run);
    }
    for (delivery, runs) in by_delivery {
        for pair in runs.windows(2) {
            let ended = pair[0].ended.expect("no process was killed").0;
            assert!(ended <= pair[1].started, "{delivery:?} ran twice at a time: {pair:?}");
            assert!(pair[0].attempt < pair[1].attempt, "{delivery:?}: {pair:?}");
        }
    }
}

async fn processes_that_start_at_once_and_are_killed_make_the_tables_once<D: Database>(home: Home<D>) {
    let mut random = random();
    let plan = Plan { works: true, ..home.plan(HANDLERS) };
    let mut others = Vec::new();
    for _ in 0..3 {
        let starting: Vec<_> = (0..4).map(|_| Node::start(&plan)).collect();
        // A random moment is what is wanted.
        sleep(Duration::from_micros(random.u64(0..100_000))).await;
        for node in starting {
            if random.bool() {
                node.kill().await;
            } else {
                others.push(node);
            }
        }
    }
    for node in &mut others {
        node.until("ready").await;
    }
    let (outbox, mediator) = home.mediator(HANDLERS).await;
    mediator.publish(Happened::new(2)).await.unwrap();
    home.until_finished(&outbox).await;
    for node in others {
        node.stop().await;
    }
    assert_eq!(home.check(&BTreeSet::from([2])).await.len(), 1);
    home.nothing_is_left().await;
}
