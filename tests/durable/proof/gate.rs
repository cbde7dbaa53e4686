//! A handler that tests watch and hold up.

use durable_tests::Happened;
use mediator_core::durable::DeliveryInfo;
use mediator_core::prelude::*;
use tokio::sync::watch;

/// What is known of the runs of [`gated`], and what those of negative numbers wait for.
#[derive(Clone)]
pub(crate) struct Gate {
    started: watch::Sender<Vec<(i64, u32)>>,
    ended: watch::Sender<Vec<i64>>,
    is_open: watch::Sender<bool>,
}

impl Gate {
    /// A gate that is shut.
    pub(crate) fn shut() -> Self {
        Self { started: watch::Sender::default(), ended: watch::Sender::default(), is_open: watch::Sender::default() }
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// The numbers and attempts of the runs that have started.
    pub(crate) fn runs(&self) -> Vec<(i64, u32)> {
        self.started.borrow().clone()
    }

    /// Waits until one of this number has started.
    pub(crate) async fn started(&self, number: i64) {
        let mut started = self.started.subscribe();
        started.wait_for(|runs| runs.iter().any(|run| run.0 == number)).await.expect("a sender");
    }

    /// Waits until one of this number has ended, in whatever way.
    pub(crate) async fn ended(&self, number: i64) {
        self.ended.subscribe().wait_for(|ended| ended.contains(&number)).await.expect("a sender");
    }
}

struct Ends<'a>(&'a Gate, i64);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.ended.send_modify(|ended| ended.push(self.1));
    }
}

/// Events of negative numbers wait at the gate.
#[event_handler(durable, manual, name = "proof.gated")]
pub(crate) async fn gated(event: &Happened, gate: Gate, delivery: &DeliveryInfo) {
    gate.started.send_modify(|runs| runs.push((event.number, delivery.attempt())));
    let _ends = Ends(&gate, event.number);
    if event.number < 0 {
        gate.is_open.subscribe().wait_for(|is_open| *is_open).await.expect("a sender");
    }
}
