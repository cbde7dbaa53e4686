//! Publishes, sends and calls of handlers that somebody observes: features `tracing`, `metrics` and `testing`.
//!
//! Each list has a [`Twin`]: the same handlers, each with one more behavior around it, outside of all others, that tells how the
//! call went. When a publish or a send starts, [`Watch::is_on`] says whether somebody is interested; if so, it keeps a [`Seen`],
//! is polled within the span of that, and calls the twin's handlers. With all of these features off, all of it is empty: `off.rs`.

#[cfg(not(any(feature = "tracing", feature = "metrics", feature = "testing")))]
mod off;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
mod on;

#[cfg(not(any(feature = "tracing", feature = "metrics", feature = "testing")))]
use off as chosen;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
use on as chosen;

pub(super) use chosen::{Filler, Twin};
pub(crate) use chosen::{Reports, Seen, Watch};
