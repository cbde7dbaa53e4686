//! The leases that a worker holds, and their renewal.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

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
    /// Of the handler, while it runs.
    running: Option<AbortHandle>,
}

impl Leases {
    pub(super) fn hold(&self, lease: Lease) {
        self.lock().insert(lease.delivery, Held { lease, running: None });
    }

    /// The delivery runs in this task.
    pub(super) fn runs(&self, lease: Lease, task: AbortHandle) {
        if let Some(held) = self.lock().get_mut(&lease.delivery).filter(|held| held.lease == lease) {
            held.running = Some(task);
        }
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

    pub(super) fn is_held(&self, lease: Lease) -> bool {
        self.lock().get(&lease.delivery).is_some_and(|held| held.lease == lease)
    }

    /// Renews the leases for as long as it is polled, and cancels the handlers whose leases were lost.
    ///
    /// To run in a task of its own: a handler that never yields must not keep it from running.
    pub(super) async fn keep<S: Store>(&self, store: &S, lease: Duration) {
        let period = (lease / 3).max(Duration::from_millis(1));
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
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
            let Some(lost) = held.get(&lease.delivery).filter(|held| held.lease == *lease) else { continue };
            if let Some(running) = &lost.running {
                running.abort();
            }
            held.remove(&lease.delivery);
            drop(held);
            report::lease_lost(*lease);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeliveryId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
