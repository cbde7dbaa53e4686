//! Where a process can be halted, to be killed or paused there.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

static HALT: OnceLock<Halt> = OnceLock::new();

struct Halt {
    point: String,
    was_reached: AtomicBool,
    go_on: Notify,
}

/// Says so and waits, when the process is to halt here; it does so once.
pub async fn reach(point: &str) {
    let Some(halt) = HALT.get().filter(|halt| halt.point == point) else { return };
    if !halt.was_reached.swap(true, Ordering::Relaxed) {
        say(&format!("at {point}"));
        halt.go_on.notified().await;
    }
}

/// Waits for ever when the process is to halt where leases are renewed: those of handlers that are done at once never are.
pub(crate) async fn wait_for_renewal() {
    if HALT.get().is_some_and(|halt| halt.point.ends_with(" renew")) {
        std::future::pending::<()>().await;
    }
}

/// Halts this process at a point.
pub(crate) fn halt_at(point: String) {
    let halt = Halt { point, was_reached: AtomicBool::new(false), go_on: Notify::new() };
    assert!(HALT.set(halt).is_ok(), "a process halts at one point");
}

/// Lets it go on.
pub(crate) fn go_on() {
    if let Some(halt) = HALT.get() {
        halt.go_on.notify_one();
    }
}

/// Tells the test something.
pub(crate) fn say(line: &str) {
    // Whoever listened may be gone.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
