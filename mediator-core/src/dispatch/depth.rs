//! How deep publishes are nested, with debug assertions.
//!
//! Handlers that publish each other without end would overflow the stack, which ends the process without a word.

use std::cell::RefCell;

/// So many publishes may be nested inside each other.
const LIMIT: usize = 128;

thread_local! {
    static POLLED: RefCell<Polled> = const { RefCell::new(Polled { names: [""; LIMIT], depth: 0 }) };
}

/// The events whose publishes this thread is polling, the outermost first.
struct Polled {
    /// As many names as there is room for: a publish allocates nothing.
    names: [&'static str; LIMIT],
    depth: usize,
}

/// While it lives, a publish of this thread is being polled.
pub(super) struct Nested;

impl Nested {
    pub(super) fn enter(event_name: &'static str) -> Self {
        POLLED.with_borrow_mut(|polled| {
            if let Some(name) = polled.names.get_mut(polled.depth) {
                *name = event_name;
            }
            polled.depth += 1;
        });
        Self
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        POLLED.with_borrow_mut(|polled| polled.depth -= 1);
    }
}

/// What is wrong, if publishes are nested too deep; the innermost one is of this event.
pub(super) fn check(event_name: &'static str) -> Result<(), String> {
    POLLED.with_borrow(|polled| {
        if polled.depth <= LIMIT {
            return Ok(());
        }
        let start = polled.names.iter().rposition(|name| *name == event_name).unwrap_or(0);
        let cycle = polled.names[start..].iter().chain([&event_name]).map(|name| format!("`{name}`"));
        let cycle = cycle.collect::<Vec<_>>().join(" → ");
        Err(format!("publishes are nested more than {LIMIT} deep; do these events cause each other? {cycle}"))
    })
}
