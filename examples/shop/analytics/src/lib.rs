//! Analytics: what was sold, counted from events. The handlers are private functions; the program
//! provides the [`Sales`] they count into, and reads them.

mod counting;

use std::sync::atomic::{AtomicI64, Ordering};

/// The sales so far; the program provides them as `Arc<Sales>`.
#[derive(Debug, Default)]
pub struct Sales {
    cents: AtomicI64,
}

impl Sales {
    /// What the orders come to, without those that were cancelled.
    #[must_use]
    pub fn cents(&self) -> i64 {
        self.cents.load(Ordering::Relaxed)
    }

    fn add(&self, cents: i64) {
        self.cents.fetch_add(cents, Ordering::Relaxed);
    }
}
