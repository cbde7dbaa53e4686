//! How deep publishes and sends are nested, with debug assertions.
//!
//! Handlers that call each other without end would overflow the stack, which aborts the process.

use std::cell::RefCell;

/// So many publishes and sends may be nested inside each other.
const LIMIT: usize = 128;

thread_local! {
    static POLLED: RefCell<Polled> = const { RefCell::new(Polled { names: [""; LIMIT], depth: 0 }) };
}

/// The events and requests that this thread is polling, the outermost first.
struct Polled {
    /// As many names as there is room for: neither a publish nor a send allocates.
    names: [&'static str; LIMIT],
    depth: usize,
}

/// While it lives, a publish or a send of this thread is being polled.
pub(super) struct Nested;

impl Nested {
    pub(super) fn enter(name: &'static str) -> Self {
        POLLED.with_borrow_mut(|polled| {
            if let Some(place) = polled.names.get_mut(polled.depth) {
                *place = name;
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

/// What is wrong, if they are nested too deep; the innermost one is of this event or request.
pub(super) fn check(innermost: &'static str) -> Result<(), String> {
    POLLED.with_borrow(|polled| {
        if polled.depth <= LIMIT {
            return Ok(());
        }
        let start = polled.names.iter().rposition(|name| *name == innermost).unwrap_or(0);
        let cycle = polled.names[start..].iter().chain([&innermost]).map(|name| format!("`{name}`"));
        let cycle = cycle.collect::<Vec<_>>().join(" → ");
        Err(format!("publishes and sends are nested more than {LIMIT} deep; do these cause each other? {cycle}"))
    })
}
