//! The leases that a worker holds, and their renewal.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::watchdog::Watchdog;
use crate::report;
use crate::store::{DeliveryId, Lease, Store};

/// The leases that a worker holds: of deliveries that wait for their turn, that run, and that have ended but are not settled in
/// the store.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<HashMap<DeliveryId, Held>>,
}

struct Held {
    lease: Lease,
    /// While the handler runs: cancels it.
    lost: Option<oneshot::Sender<()>>,
}

impl Leases {
    pub(super) fn hold(&self, lease: Lease) {
        self.lock().insert(lease.delivery, Held { lease, lost: None });
    }

    /// The delivery runs from now on, and `lost` is told if its lease is lost meanwhile; `false` if it was lost before.
    pub(super) fn runs(&self, lease: Lease, lost: oneshot::Sender<()>) -> bool {
        let mut held = self.lock();
        let held = held.get_mut(&lease.delivery).filter(|held| held.lease == lease);
        let is_held = held.is_some();
        if let Some(held) = held {
            held.lost = Some(lost);
        }
        is_held
    }

    /// Lets a lease go before the store is told how the delivery ended, so that a renewal meanwhile does not miss it; `false` if
    /// it was lost.
    pub(super) fn let_go(&self, lease: Lease) -> bool {
        let mut held = self.lock();
        let is_held = held.get(&lease.delivery).is_some_and(|held| held.lease == lease);
        if is_held {
            held.remove(&lease.delivery);
        }
        is_held
    }

    /// Renews the leases for as long as it is polled, and cancels the handlers whose leases were lost.
    ///
    /// To run in a task of its own: a handler that never yields must not keep it from running.
    pub(super) async fn keep<S: Store>(&self, store: &S, lease: Duration) {
        let period = (lease / 3).max(Duration::from_millis(1));
        let watchdog = Watchdog::start(period / 2);
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // The thread that was woken fires the timer when it is due.
                () = watchdog.wakes() => continue,
            }
            let leases: Vec<Lease> = self.lock().values().map(|held| held.lease).collect();
            if leases.is_empty() {
                continue;
            }
            match store.renew(&leases, lease).await {
                Ok(renewed) => self.lose_all_but(&leases, &renewed),
                // Not lost: it is lost when a renewal does not find it.
                Err(error) => report::store_failed(&error),
            }
        }
    }

    fn lose_all_but(&self, leases: &[Lease], renewed: &[DeliveryId]) {
        let renewed: HashSet<_> = renewed.iter().copied().collect();
        for lease in leases.iter().filter(|lease| !renewed.contains(&lease.delivery)) {
            let mut held = self.lock();
            // What was let go meanwhile is not lost.
            if held.get(&lease.delivery).is_none_or(|held| held.lease != *lease) {
                continue;
            }
            let lost = held.remove(&lease.delivery).and_then(|held| held.lost);
            drop(held);
            if let Some(lost) = lost {
                // It may have ended.
                let _ = lost.send(());
            }
            report::lease_lost(*lease);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeliveryId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
