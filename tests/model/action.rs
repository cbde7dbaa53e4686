//! What can happen.

use std::fmt;

use crate::state::ROWS;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A delivery is recorded; behind its key it may be parked at once, as SQLite does, or later, as PostgreSQL does.
    Record {
        /// Which one.
        row: usize,
        /// Whether it waits from the beginning.
        parked: bool,
    },
    /// A claim finds a ready delivery behind its key, and parks it.
    Park(usize),
    /// A worker claims.
    Claim {
        /// Which worker.
        worker: usize,
        /// Some of what can be claimed.
        batch: Batch,
    },
    /// A worker calls a handler.
    Start(usize, usize),
    /// A worker renews all leases that it holds, and cancels what it has lost.
    Renew(usize),
    /// A worker says that an at-least-once handler has succeeded.
    Complete(usize, usize),
    /// A worker commits the transaction of an effectively-once handler, with its completion.
    CompleteWithin(usize, usize),
    /// A worker says that an attempt has failed.
    Fail(usize, usize, Then),
    /// A worker gives back what it has not started.
    GiveBack(usize, usize),
    /// A worker's process ends, and another one takes its place.
    Crash(usize),
    /// Time passes.
    Tick,
    /// Somebody resubmits a dead delivery.
    Retry(usize),
    /// Somebody discards a dead delivery.
    Discard(usize),
    /// Somebody takes an event back whose delivery was not started.
    Unschedule(usize),
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another one.
    Retry,
    /// None, and its key waits or goes on, as its handler says.
    Dead,
}

/// Rows that are claimed at once.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Batch(u8);

impl Batch {
    /// All parts of this but the empty one.
    pub fn parts(self) -> impl Iterator<Item = Self> {
        (1..1 << ROWS).map(Self).filter(move |part| part.0 & !self.0 == 0)
    }

    /// The rows.
    pub fn rows(self) -> impl Iterator<Item = usize> {
        (0..ROWS).filter(move |row| self.0 & 1 << row != 0)
    }
}

impl FromIterator<usize> for Batch {
    fn from_iter<I: IntoIterator<Item = usize>>(rows: I) -> Self {
        Self(rows.into_iter().fold(0, |batch, row| batch | 1 << row))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows()).finish()
    }
}
