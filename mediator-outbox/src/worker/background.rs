//! What a worker does beside its deliveries, each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::job::Runner;
use crate::error::StoreError;
use crate::report;
use crate::store::Store;

/// For how long a received event is kept, so that it is not received twice.
const KEEP_RECEIVED: Duration = Duration::from_secs(7 * 24 * 3600);

/// A task that ends with whoever has started it.
pub(super) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Renews the leases.
pub(super) fn renew<S: Store>(runner: Arc<Runner<S>>) -> Task {
    Task(tokio::spawn(async move { runner.leases.keep(runner.outbox.store(), runner.settings.lease).await }))
}

/// Passes on what other processes announce.
pub(super) fn listen<S: Store>(runner: Arc<Runner<S>>) -> Task {
    Task(tokio::spawn(async move {
        loop {
            runner.outbox.store().announced().await;
            runner.outbox.shared.wake_this_process();
        }
    }))
}

/// Deletes what is kept no longer.
pub(super) fn maintain<S: Store>(runner: Arc<Runner<S>>) -> Task {
    Task(tokio::spawn(async move {
        loop {
            let kept = clean(runner.outbox.store(), runner.settings.keep_done.unwrap_or_default()).await;
            let counted = runner.outbox.tell_counts().await;
            if let Err(error) = kept.and(counted) {
                report::store_failed(&error);
            }
            sleep(Duration::from_secs(5)).await;
        }
    }))
}

async fn clean<S: Store>(store: &S, keep_done: Duration) -> Result<(), StoreError> {
    while store.purge(keep_done, KEEP_RECEIVED).await? > 0 {
        tokio::task::yield_now().await;
    }
    let repaired = store.repair().await?;
    if repaired > 0 {
        report::repaired(repaired);
    }
    Ok(())
}
