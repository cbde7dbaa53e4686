//! The one order in which the handlers of an event are called.

use crate::Registration;

/// Sorts what was discovered, so that the order is the same whatever the linker did.
///
/// By `order`, then crate, file, line and column. What stands at one place, as the registrations
/// made by one `macro_rules` call do, goes by name.
pub(crate) fn sort(discovered: &mut [&Registration]) {
    discovered.sort_by_key(|registration| {
        let location = registration.location();
        (
            registration.order(),
            registration.crate_name(),
            location.file(),
            location.line(),
            location.column(),
            registration.handler_name(),
        )
    });
}
