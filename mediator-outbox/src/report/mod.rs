//! What is told to those who watch: log events and spans (feature `tracing`), counters and durations (feature `metrics`), trace
//! context (feature `opentelemetry`).

#[cfg_attr(not(feature = "metrics"), path = "no_meters.rs")]
mod meters;
#[cfg_attr(not(feature = "tracing"), path = "no_spans.rs")]
mod spans;
#[cfg_attr(not(feature = "opentelemetry"), path = "no_trace.rs")]
mod trace;

use mediator_core::EventId;

use crate::error::StoreError;
use crate::headers::Headers;
use crate::store::{Claimed, Count, Lease};

pub(crate) use meters::{Ended, describe};
pub(crate) use spans::Span;

/// The store could not be asked; it is asked again.
pub(crate) fn store_failed(error: &StoreError) {
    spans::warn_of_store(error);
}

/// A handler that never yields may lose its lease: there is no thread that would see to its renewal.
pub(crate) fn no_watchdog(error: &std::io::Error) {
    spans::warn_of_no_watchdog(error);
}

/// Somebody else may have taken up a delivery while its handler ran.
pub(crate) fn lease_lost(lease: Lease) {
    meters::lease_lost();
    spans::warn_of_lost_lease(lease);
}

/// Completions or failures came too late.
pub(crate) fn fenced(count: usize) {
    meters::fenced(count);
    spans::warn_of_fenced(count);
}

/// Deliveries waited for nobody.
pub(crate) fn repaired(count: u64) {
    spans::warn_of_repaired(count);
}

/// Deliveries were claimed.
pub(crate) fn claimed(claimed: &[Claimed]) {
    claimed.iter().for_each(meters::claimed);
}

/// An attempt was made: how it ended, how long after it was due it began, and how long it ran.
pub(crate) fn attempted(claimed: &Claimed, ended: Ended, waited: std::time::Duration, ran: std::time::Duration) {
    meters::attempted(claimed, ended, waited, ran);
}

/// A delivery is given up.
pub(crate) fn dead(claimed: &Claimed, error: &str) {
    spans::tell_dead(claimed, error);
}

/// How many deliveries there are.
pub(crate) fn counts(counts: &[Count], is_known: impl Fn(&Count) -> bool) {
    meters::counts(counts, is_known);
}

/// Whether anybody wants to know how many deliveries there are.
pub(crate) fn wants_counts() -> bool {
    meters::IS_ON
}

/// The trace that the current span belongs to, to be recorded.
pub(crate) fn add_trace(headers: &mut Headers) {
    trace::inject(headers);
}

/// The span around an attempt: the first one continues the trace of the publisher, and a further one has a link to it.
pub(crate) fn span(claimed: &Claimed, event_id: EventId, headers: &Headers) -> Span {
    let span = Span::of_attempt(claimed, event_id);
    trace::extract(&span, headers, claimed.attempts == 1);
    span
}
