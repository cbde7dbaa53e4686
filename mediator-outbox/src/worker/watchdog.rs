//! A thread that wakes a task from outside of the runtime.
//!
//! On a tokio runtime of several threads, one waits for I/O and timers for all. If it runs a handler that never yields, the others
//! sleep on until something from outside of the runtime wakes one, which then waits for I/O and timers in its place
//! (<https://github.com/tokio-rs/tokio/issues/4730>).

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::sync::Notify;

use crate::report;

/// Wakes the task that waits for it, once in each period. Its thread ends when it is dropped.
pub(super) struct Watchdog {
    wake: Arc<Notify>,
    _running: Sender<()>,
}

impl Watchdog {
    pub(super) fn start(period: Duration) -> Self {
        let wake = Arc::new(Notify::new());
        let (running, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name("mediator-watchdog".to_owned());
        let started = thread.spawn({
            let wake = wake.clone();
            move || {
                while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                    wake.notify_one();
                }
            }
        });
        if let Err(error) = started {
            report::no_watchdog(&error);
        }
        Self { wake, _running: running }
    }

    /// Resolves once in each period.
    pub(super) async fn wakes(&self) {
        self.wake.notified().await;
    }
}
