//! Deliveries that have ended, and what the store is told of them.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Drained;
use super::job::Runner;
use super::leases::Leases;
use super::quota::MOST;
use crate::error::StoreError;
use crate::report;
use crate::store::{DeliveryId, Failure, Lease, Store, Then};

/// How long the end of a delivery may wait for others, to be settled with them in one statement.
const SETTLE_AFTER: Duration = Duration::from_millis(20);

/// Deliveries that have ended, which the store is not told yet.
#[derive(Default)]
pub(super) struct Ended {
    done: Batch<Lease>,
    failed: Batch<Failure>,
    not_started: Batch<Lease>,
    /// Why they were not started.
    pub(super) trouble: Option<StoreError>,
    /// Since when there are any.
    since: Option<Instant>,
    /// Whether the end of one of them lets another one go.
    pub(super) has_keys: bool,
    /// What is settled.
    pub(super) drained: Drained,
}

impl Ended {
    pub(super) fn len(&self) -> usize {
        self.done.0.len() + self.failed.0.len() + self.not_started.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One is done; whether that is to be looked at now, as that one of the others.
    pub(super) fn done(&mut self, lease: Lease) -> bool {
        self.done.0.push(lease);
        self.grew()
    }

    /// An attempt has failed.
    pub(super) fn failed(&mut self, failure: Failure) -> bool {
        self.failed.0.push(failure);
        self.grew()
    }

    /// One is given back.
    pub(super) fn not_started(&mut self, lease: Lease) -> bool {
        self.not_started.0.push(lease);
        self.grew()
    }

    /// The first one starts the time that they may wait.
    fn grew(&mut self) -> bool {
        let is_first = self.since.is_none();
        self.since.get_or_insert_with(Instant::now);
        is_first || self.is_full()
    }

    fn is_full(&self) -> bool {
        self.len() >= MOST
    }

    /// Whether the store is to be told now, others that run or not.
    pub(super) fn are_due(&self) -> bool {
        self.is_full() || self.trouble.is_some() || self.settle_at().is_some_and(|at| at <= Instant::now())
    }

    /// When they are to be settled even if they are few.
    pub(super) fn settle_at(&self) -> Option<Instant> {
        self.since.map(|since| since + SETTLE_AFTER)
    }

    /// Tells the store; what it could not be told remains.
    pub(super) async fn settle<S: Store>(&mut self, runner: &Runner<S>) -> Result<(), StoreError> {
        let Self { done, failed, not_started, drained, .. } = self;
        let (store, leases, keep) = (runner.outbox.store(), &runner.leases, runner.settings.keep_done.is_some());
        if done.let_go(leases, drained) {
            let changed = store.complete(&done.0, keep).await;
            drained.done += done.told(changed, leases, drained)?.len() as u64;
        }
        if failed.let_go(leases, drained) {
            let changed = store.fail(&failed.0).await;
            for failure in failed.told(changed, leases, drained)? {
                match failure.then {
                    Then::Retry(_) => drained.retried += 1,
                    Then::Dead | Then::DeadKeyGoesOn => drained.dead += 1,
                }
            }
        }
        if not_started.let_go(leases, drained) {
            let changed = store.give_back(&not_started.0).await;
            not_started.told(changed, leases, drained)?;
        }
        (self.since, self.has_keys) = (None, false);
        Ok(())
    }

    /// Adds what has ended before, and what was settled of it.
    pub(super) fn put_back(&mut self, before: Self) {
        self.done.0.extend(before.done.0);
        self.failed.0.extend(before.failed.0);
        self.not_started.0.extend(before.not_started.0);
        self.since = before.since.or(self.since);
        self.has_keys |= before.has_keys;
        self.drained.add(before.drained);
    }
}

/// Deliveries that have ended in the same way, of which the store is told by one statement.
struct Batch<E>(Vec<E>);

impl<E> Default for Batch<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: End> Batch<E> {
    /// Lets the leases go, as they will not hold when the store has been told, and drops those that were lost; whether any is left.
    fn let_go(&mut self, leases: &Leases, drained: &mut Drained) -> bool {
        let before = self.0.len();
        self.0.retain(|end| leases.let_go(end.lease()));
        drained.fenced += (before - self.0.len()) as u64;
        !self.0.is_empty()
    }

    /// The store was told; returns those whose leases still held there.
    fn told(
        &mut self,
        changed: Result<Vec<DeliveryId>, StoreError>,
        leases: &Leases,
        drained: &mut Drained,
    ) -> Result<Vec<E>, StoreError> {
        let changed: HashSet<_> = match changed {
            Ok(changed) => changed.into_iter().collect(),
            Err(error) => {
                self.0.iter().for_each(|end| leases.hold(end.lease()));
                return Err(error);
            }
        };
        let mut ended = std::mem::take(&mut self.0);
        let before = ended.len();
        ended.retain(|end| changed.contains(&end.lease().delivery));
        fenced(before - ended.len(), drained);
        Ok(ended)
    }
}

/// Counts deliveries that ended after their leases were lost.
pub(super) fn fenced(count: usize, drained: &mut Drained) {
    if count > 0 {
        drained.fenced += count as u64;
        report::fenced(count);
    }
}

/// The end of a delivery.
trait End {
    fn lease(&self) -> Lease;
}

impl End for Lease {
    fn lease(&self) -> Lease {
        *self
    }
}

impl End for Failure {
    fn lease(&self) -> Lease {
        self.lease
    }
}
