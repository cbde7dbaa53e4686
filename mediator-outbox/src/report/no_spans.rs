//! In place of `spans.rs` without the feature `tracing`.

use mediator_core::EventId;

use crate::error::StoreError;
use crate::store::{Claimed, Lease};

pub(crate) struct Span;

impl Span {
    pub(super) fn of_attempt(_claimed: &Claimed, _event_id: EventId) -> Self {
        Self
    }

    pub(crate) fn around<F: Future>(self, attempt: F) -> impl Future<Output = F::Output> {
        attempt
    }

    pub(crate) fn failed() {}
}

pub(super) fn warn_of_store(_error: &StoreError) {}

pub(super) fn warn_of_no_watchdog(_error: &std::io::Error) {}

pub(super) fn warn_of_lost_lease(_lease: Lease) {}

pub(super) fn warn_of_fenced(_count: usize) {}

pub(super) fn warn_of_repaired(_count: u64) {}

pub(super) fn tell_dead(_claimed: &Claimed, _error: &str) {}
