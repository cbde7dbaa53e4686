//! Where the ids of events come from.

use crate::Uuid;

/// A fresh UUID of version 7.
#[must_use]
pub fn new() -> Uuid {
    Uuid::now_v7()
}
