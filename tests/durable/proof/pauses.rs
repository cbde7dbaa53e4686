//! Processes that stand still for longer than their leases.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_tests::{Database, Happened, Plan};
use rustix::process::Signal;
use tokio::time::timeout;

use crate::home::{Home, until};
use crate::node::Node;

on_each_database! {
    a_worker_that_was_stopped_beyond_its_lease_cannot_complete
}

const HANDLERS: &[&str] = &["once", "least", "followed"];

/// Where a worker holds a lease, and no lock that others wait for.
const POINTS: &[&str] = &["after claim", "after events", "before begin", "in least", "before complete"];

/// The same on PostgreSQL.
const IN_TRANSACTION: &[&str] =
    &["in once, after it has written", "in once, after it has published", "before complete within"];

async fn a_worker_that_was_stopped_beyond_its_lease_cannot_complete<D: Database>(home: Home<D>) {
    let (outbox, mediator) = home.mediator(HANDLERS).await;
    let points = if D::NAME == "postgres" { [POINTS, IN_TRANSACTION].concat() } else { POINTS.to_vec() };
    for (number, point) in (1..).step_by(2).zip(points.iter().copied()) {
        let plan = Plan { works: true, ..home.plan(HANDLERS) };
        // Beside the handler that it stops in, another one could hold rows in a transaction that nobody ends.
        let mut stopped = Node::ready(&Plan { halts: Some(point.to_owned()), concurrency: 1, ..plan.clone() }).await;
        publish::<D>(&outbox, &mediator, number).await;
        stopped.until(&format!("at {point}")).await;
        stop(&home, &stopped).await;

        let other = Node::ready(&plan).await;
        home.until_finished(&outbox).await;
        stopped.tell("go on").await;
        stopped.signal(Signal::CONT);
        other.stop().await;
        // It is as good as new.
        let next = 1001 + number - 1;
        publish::<D>(&outbox, &mediator, next).await;
        until("the one that was stopped delivers", async || home.database.effects("followed").await.contains(&next))
            .await;
        // Before the only worker stops: a first attempt may have failed.
        home.until_finished(&outbox).await;
        stopped.stop().await;
        println!("stopped and continued {point}");
    }
    let delivered = home.check(&BTreeSet::new()).await;
    assert_eq!(delivered.len(), 2 * points.len());
    home.nothing_is_left().await;
}

async fn publish<D: Database>(
    outbox: &mediator_outbox::Outbox<D::Store>,
    mediator: &mediator_core::Mediator,
    number: i64,
) {
    let mut tx = outbox.begin().await.unwrap();
    D::happen(&mut tx, number).await.unwrap();
    mediator.with(&mut *tx).publish(Happened::new(number)).await.unwrap();
    tx.commit().await.unwrap();
}

/// Stops a process where it holds no lock on the database: by chance it may renew a lease at that moment.
async fn stop<D: Database>(home: &Home<D>, node: &Node) {
    loop {
        node.signal(Signal::STOP);
        let write = home.database.execute("UPDATE happened SET number = number WHERE number < 0");
        if timeout(Duration::from_secs(5), write).await.is_ok() {
            return;
        }
        node.signal(Signal::CONT);
    }
}
