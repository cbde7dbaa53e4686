//! Where orders are kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Order, Status};

/// The orders that were saved: in memory here, a database elsewhere.
#[derive(Debug, Default)]
pub struct Orders {
    saved: Mutex<BTreeMap<u64, Status>>,
}

impl Orders {
    /// The number for the next order.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.saved().last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Saves an order as it is now.
    pub fn save(&self, order: &Order) {
        self.saved().insert(order.id(), order.status());
    }

    /// How far an order has come, if there is one of this number.
    #[must_use]
    pub fn status(&self, id: u64) -> Option<Status> {
        self.saved().get(&id).copied()
    }

    fn saved(&self) -> MutexGuard<'_, BTreeMap<u64, Status>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
