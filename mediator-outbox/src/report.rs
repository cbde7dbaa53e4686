//! What is told to those who watch.

use crate::error::StoreError;
use crate::store::Lease;

/// The store could not be asked; it is asked again.
pub(crate) fn store_failed(error: &StoreError) {
    let _ = error;
}

/// Somebody else may have taken up a delivery while its handler ran.
pub(crate) fn lease_lost(lease: Lease) {
    let _ = lease;
}

/// Completions or failures came too late.
pub(crate) fn fenced(count: usize) {
    let _ = count;
}

/// Deliveries waited for nobody.
pub(crate) fn repaired(count: u64) {
    let _ = count;
}
