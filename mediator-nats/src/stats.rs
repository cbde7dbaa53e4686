//! What a consumer has received.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mediator_outbox::Received;

use crate::report;

/// How many malformed messages are kept to be looked at.
const KEPT: usize = 100;

/// What a [`Consumer`](crate::Consumer) has received since it was started, in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Recorded, with a delivery for each durable handler.
    pub recorded: u64,
    /// Recorded, of a version that only a newer program can handle.
    pub newer: u64,
    /// Recorded before.
    pub repeated: u64,
    /// Published by this service itself.
    pub own: u64,
    /// Of events that no durable handler here handles, or that `only` leaves out.
    pub unhandled: u64,
    /// Not understood; see [`malformed`](crate::Consumer::malformed).
    pub malformed: u64,
}

/// A message that is no event. It stays in the stream until it is too old.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedMessage {
    /// Its number in the stream.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Fate {
    Own,
    Received {
        event: String,
        received: Received,
    },
    /// No event at all.
    Malformed(String),
}

#[derive(Default)]
pub(crate) struct Counted(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    stats: Stats,
    malformed: VecDeque<MalformedMessage>,
    last_error: Option<String>,
}

impl Counted {
    /// Counts a message and tells those who watch.
    pub(crate) fn count(&self, fate: Fate, sequence: u64, subject: &str) {
        let mut inner = self.lock();
        let Stats { recorded, newer, repeated, own, unhandled, malformed } = &mut inner.stats;
        let (counter, outcome, event, reason) = match fate {
            Fate::Own => (own, "own", String::new(), None),
            Fate::Malformed(reason) => (malformed, "malformed", String::new(), Some(reason)),
            Fate::Received { event, received } => match received {
                Received::Recorded => (recorded, "recorded", event, None),
                Received::Newer => (newer, "newer", event, None),
                Received::Already => (repeated, "repeated", event, None),
                Received::Unhandled => (unhandled, "unhandled", event, None),
                Received::Malformed(reason) => (malformed, "malformed", event, Some(reason)),
                // Of a later version of the outbox.
                _ => (unhandled, "unhandled", event, None),
            },
        };
        *counter += 1;
        report::received(outcome, event);
        if let Some(reason) = reason {
            report::malformed(sequence, subject, &reason);
            if inner.malformed.len() == KEPT {
                inner.malformed.pop_front();
            }
            inner.malformed.push_back(MalformedMessage { sequence, subject: subject.to_owned(), reason });
        }
    }

    pub(crate) fn failed(&self, error: String) {
        report::failed(&error);
        self.lock().last_error = Some(error);
    }

    pub(crate) fn goes_on(&self) {
        self.lock().last_error = None;
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats
    }

    pub(crate) fn malformed(&self) -> Vec<MalformedMessage> {
        self.lock().malformed.iter().cloned().collect()
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.lock().last_error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
