//! Counters, gauges and durations, by the facade `metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::store::{Claimed, Count, State};

pub(super) const IS_ON: bool = true;

const CLAIMED: &str = "mediator.outbox.claimed";
const DONE: &str = "mediator.outbox.done";
const RETRIED: &str = "mediator.outbox.retried";
const DEAD: &str = "mediator.outbox.dead";
const LEASE_LOST: &str = "mediator.outbox.lease_lost";
const FENCED: &str = "mediator.outbox.fenced";
const WAITED: &str = "mediator.outbox.wait.duration";
const RAN: &str = "mediator.outbox.run.duration";
const DELIVERIES: &str = "mediator.outbox.deliveries";
const OLDEST: &str = "mediator.outbox.oldest_ready.age";

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(crate) enum Ended {
    Done,
    Retried,
    Dead,
}

/// Says what the names mean.
pub(crate) fn describe() {
    describe_counter!(CLAIMED, "Deliveries that were claimed");
    describe_counter!(DONE, "Attempts that have succeeded");
    describe_counter!(RETRIED, "Attempts that have failed and are made again");
    describe_counter!(DEAD, "Deliveries that were given up");
    describe_counter!(LEASE_LOST, "Leases that were lost while a handler ran");
    describe_counter!(FENCED, "Ends of attempts that came after the lease was lost");
    describe_histogram!(WAITED, Unit::Seconds, "From when a delivery was due to the start of its handler");
    describe_histogram!(RAN, Unit::Seconds, "How long an attempt ran");
    describe_gauge!(DELIVERIES, "Deliveries by handler and state: ready, running, waiting, dead or unknown");
    describe_gauge!(OLDEST, Unit::Seconds, "For how long the first ready delivery of a handler has been due");
}

pub(super) fn claimed(claimed: &Claimed) {
    counter!(CLAIMED, &labels(claimed)).increment(1);
}

pub(super) fn attempted(claimed: &Claimed, ended: Ended, waited: Duration, ran: Duration) {
    let labels = labels(claimed);
    let counter = match ended {
        Ended::Done => counter!(DONE, &labels),
        Ended::Retried => counter!(RETRIED, &labels),
        Ended::Dead => counter!(DEAD, &labels),
    };
    counter.increment(1);
    histogram!(WAITED, &labels).record(waited);
    histogram!(RAN, &labels).record(ran);
}

pub(super) fn lease_lost() {
    counter!(LEASE_LOST).increment(1);
}

pub(super) fn fenced(count: usize) {
    counter!(FENCED).increment(count as u64);
}

pub(super) fn counts(counts: &[Count], is_known: impl Fn(&Count) -> bool) {
    let mut deliveries: BTreeMap<(&str, &'static str), u64> = BTreeMap::new();
    let mut oldest: BTreeMap<&str, Duration> = BTreeMap::new();
    for count in counts {
        for state in ["ready", "running", "waiting", "dead", "unknown"] {
            deliveries.entry((&count.handler, state)).or_default();
        }
        let age = oldest.entry(&count.handler).or_default();
        let state = match count.state {
            State::Ready => "ready",
            State::Running => "running",
            State::Waiting => "waiting",
            State::Dead => "dead",
            State::Done => continue,
        };
        *deliveries.entry((&count.handler, state)).or_default() += count.count;
        if !is_known(count) && matches!(count.state, State::Ready | State::Waiting) {
            *deliveries.entry((&count.handler, "unknown")).or_default() += count.count;
        }
        if count.state == State::Ready {
            *age = (*age).max(count.oldest_due.unwrap_or_default());
        }
    }
    for ((handler, state), count) in deliveries {
        gauge!(DELIVERIES, "mediator.handler" => handler.to_owned(), "mediator.state" => state).set(count as f64);
    }
    for (handler, age) in oldest {
        gauge!(OLDEST, "mediator.handler" => handler.to_owned()).set(age.as_secs_f64());
    }
}

fn labels(claimed: &Claimed) -> [(&'static str, String); 2] {
    [("messaging.destination.name", claimed.event_name.clone()), ("mediator.handler", claimed.handler.clone())]
}
