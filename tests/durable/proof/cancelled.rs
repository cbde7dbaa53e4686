//! Publishes that are dropped at any moment.

use std::pin::pin;
use std::task::Poll;

use durable_tests::{Database, Happened};
use mediator_core::prelude::*;
use mediator_core::{EventId, Mediator};
use mediator_outbox::Outbox;
use serde::{Deserialize, Serialize};

use crate::home::Home;

on_each_database! {
    a_publish_that_is_dropped_has_recorded_all_deliveries_or_none
    a_publish_that_is_dropped_in_a_transaction_has_recorded_all_deliveries_or_none
    a_publish_of_many_events_that_is_dropped_has_recorded_all_deliveries_of_each_or_none
    a_nested_publish_that_is_dropped_has_recorded_all_deliveries_or_none
}

#[event_handler(durable, manual, name = "proof.first")]
async fn first(_event: &Happened) {}

#[event_handler(durable, manual, name = "proof.second")]
async fn second(_event: &Happened) {}

#[event_handler(durable, manual, name = "proof.third")]
async fn third(_event: &Happened) {}

const EACH: u64 = 3;

/// Makes an ordinary handler publish.
#[event(name = "proof.outer")]
#[derive(Debug, Serialize, Deserialize)]
struct Outer {
    inner: Vec<EventId>,
}

#[event_handler(manual)]
async fn nested(event: &Outer, publisher: &Publisher) -> Result<(), PublishError> {
    for &event_id in &event.inner {
        tokio::task::yield_now().await;
        publisher.publish(Happened { event_id, number: 0 }).await?;
    }
    Ok(())
}

struct Publishing<D: Database> {
    outbox: Outbox<D::Store>,
    mediator: Mediator,
}

impl<D: Database> Publishing<D> {
    async fn on(home: &Home<D>) -> Self {
        let outbox = Outbox::in_store(home.database.store().await.unwrap());
        let builder = Mediator::builder().without_discovery().outbox(outbox.clone()).bind_fn(nested);
        let mediator = builder.bind_fn(first).bind_fn(second).bind_fn(third).build().unwrap();
        Self { outbox, mediator }
    }

    /// How many of these events are recorded; each wholly or not at all.
    async fn recorded(&self, events: &[EventId]) -> usize {
        let mut recorded = 0;
        for &event in events {
            let count = self.outbox.deliveries().of_event_id(event).count().await.unwrap();
            assert!(count == 0 || count == EACH, "{count} of {EACH} deliveries are recorded");
            recorded += usize::from(count == EACH);
        }
        recorded
    }
}

fn ids(count: usize) -> Vec<EventId> {
    (0..count).map(|_| EventId::new()).collect()
}

fn events(ids: &[EventId]) -> Vec<Box<dyn DynNotification>> {
    ids.iter().map(|&event_id| Box::new(Happened { event_id, number: 0 }) as _).collect()
}

/// Polls a future so many times, then drops it; whether it was done.
async fn polled<F: Future>(future: F, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

async fn a_publish_that_is_dropped_has_recorded_all_deliveries_or_none<D: Database>(home: Home<D>) {
    let it = Publishing::on(&home).await;
    let mut all = Vec::new();
    for polls in 0.. {
        let event_id = EventId::new();
        all.push(event_id);
        if polled(it.mediator.publish(Happened { event_id, number: 0 }), polls).await {
            assert_eq!(it.recorded(&[event_id]).await, 1);
            break;
        }
        it.recorded(&[event_id]).await;
        // The same event published again is recorded once.
        it.mediator.publish(Happened { event_id, number: 0 }).await.unwrap();
    }
    assert_eq!(it.recorded(&all).await, all.len());
    let worker = it.outbox.worker(&it.mediator).drain().await.unwrap();
    assert_eq!(worker.done, EACH * all.len() as u64);
}

async fn a_publish_that_is_dropped_in_a_transaction_has_recorded_all_deliveries_or_none<D: Database>(home: Home<D>) {
    let it = Publishing::on(&home).await;
    for commits in [true, false] {
        for polls in 0.. {
            let event_id = EventId::new();
            let mut tx = it.outbox.begin().await.unwrap();
            D::happen(&mut tx, 1).await.unwrap();
            let publish = it.mediator.with(&mut *tx);
            let is_done = polled(publish.publish(Happened { event_id, number: 0 }), polls).await;
            // What was dropped does not harm the transaction.
            D::happen(&mut tx, 2).await.unwrap();
            if commits {
                tx.commit().await.unwrap();
            } else {
                tx.rollback().await.unwrap();
            }
            let recorded = it.recorded(&[event_id]).await;
            assert!(!is_done || recorded == usize::from(commits));
            assert!(commits || recorded == 0);
            if is_done {
                break;
            }
        }
    }
}

async fn a_publish_of_many_events_that_is_dropped_has_recorded_all_deliveries_of_each_or_none<D: Database>(
    home: Home<D>,
) {
    let it = Publishing::on(&home).await;
    for polls in 0.. {
        let ids = ids(3);
        let is_done = polled(it.mediator.publish_all(events(&ids)), polls).await;
        let recorded = it.recorded(&ids).await;
        assert!(!is_done || recorded == 3);
        let lent = self::ids(3);
        let mut tx = it.outbox.begin().await.unwrap();
        let is_lent_done = polled(it.mediator.with(&mut *tx).publish_all(events(&lent)), polls).await;
        tx.commit().await.unwrap();
        let recorded = it.recorded(&lent).await;
        assert!(!is_lent_done || recorded == 3);
        if is_done && is_lent_done {
            break;
        }
    }
}

async fn a_nested_publish_that_is_dropped_has_recorded_all_deliveries_or_none<D: Database>(home: Home<D>) {
    let it = Publishing::on(&home).await;
    for polls in 0.. {
        let inner = ids(2);
        let is_done = polled(it.mediator.publish(Outer::new(inner.clone())), polls).await;
        let recorded = it.recorded(&inner).await;
        assert!(!is_done || recorded == 2);
        let lent = ids(2);
        let mut tx = it.outbox.begin().await.unwrap();
        let is_lent_done = polled(it.mediator.with(&mut *tx).publish(Outer::new(lent.clone())), polls).await;
        tx.commit().await.unwrap();
        let recorded = it.recorded(&lent).await;
        assert!(!is_lent_done || recorded == 2);
        if is_done && is_lent_done {
            break;
        }
    }
}
