//! How deep publishes are nested, with debug assertions.
//!
//! Handlers that publish each other without end would overflow the stack, which ends the process without a word.

use std::cell::RefCell;

/// So many publishes may be nested inside each other.
const LIMIT: usize = 128;

thread_local! {
    /// The names of the events whose publishes this thread is polling, the outermost first.
    static POLLED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, a publish of this thread is being polled.
pub(super) struct Nested;

impl Nested {
    pub(super) fn enter(event_name: &'static str) -> Self {
        POLLED.with_borrow_mut(|polled| polled.push(event_name));
        Self
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        POLLED.with_borrow_mut(|polled| _ = polled.pop());
    }
}

/// What is wrong, if publishes are nested too deep.
pub(super) fn check() -> Result<(), String> {
    POLLED.with_borrow(|polled| {
        let [earlier @ .., last] = polled.as_slice() else { return Ok(()) };
        if polled.len() <= LIMIT {
            return Ok(());
        }
        let start = earlier.iter().rposition(|name| name == last).unwrap_or(0);
        let cycle: Vec<_> = polled[start..].iter().map(|name| format!("`{name}`")).collect();
        let cycle = cycle.join(" → ");
        Err(format!("publishes are nested more than {LIMIT} deep; do these events cause each other? {cycle}"))
    })
}
