//! Where claims begin to look.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::timestamp::Timestamp;
use crate::store::Wanted;

/// A claim that starts at the oldest time passes all index entries of deliveries that are gone, as long as a transaction of
/// anybody's, in any database of the server, is older than their end: ever more of them, if such a transaction stays open.
///
/// So once claims from there are slow, a claim starts where the last one of that handler ended, and at the oldest time again for
/// what has become visible or was released behind it since: when nothing else was found, unless that would take very long, and
/// otherwise for about a tenth of the time, unless one takes more than a second.
#[derive(Default)]
pub(super) struct Cursors(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By handler, then event.
    cursors: HashMap<String, HashMap<String, Timestamp>>,
    /// When the last claim from the oldest time began, and how long it took.
    last_whole: Option<(Instant, Duration)>,
}

/// How long a look at everything may take that is made with each claim.
pub(super) const EACH_TIME: Duration = Duration::from_millis(5);

/// How long one may take that is made when nothing else was found.
pub(super) const IDLE: Duration = Duration::from_millis(250);

/// How long something that became visible behind a cursor may wait, while others are found.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How far behind the last claim, in microseconds, the next one starts: recordings overlap.
const OVERLAP: i64 = 200_000;

impl Cursors {
    /// Whether to look at everything; what takes no longer than `bearable` may be done at any time.
    pub(super) fn look_at_everything(&self, bearable: Duration) -> bool {
        let pause = |took: Duration| (10 * took).min(LONGEST_PAUSE).max(took);
        let rested = |began: Instant, took| began.elapsed() >= took + pause(took);
        self.inner().last_whole.is_none_or(|(began, took)| took <= bearable || rested(began, took))
    }

    /// Everything was looked at.
    pub(super) fn whole(&self, began: Instant) {
        self.inner().last_whole = Some((began, began.elapsed()));
    }

    /// Where to start for each of these.
    pub(super) fn starts(&self, wanted: &[Wanted<'_>], whole: bool) -> Vec<Timestamp> {
        let inner = self.inner();
        let start = |wanted: &Wanted<'_>| {
            let cursor = inner.cursors.get(wanted.handler).and_then(|events| events.get(wanted.event));
            cursor.filter(|_| !whole).copied().unwrap_or(Timestamp::INFINITELY_OLD)
        };
        wanted.iter().map(start).collect()
    }

    /// One was claimed that was due then.
    pub(super) fn advance(&self, handler: &str, event: &str, due_at: Timestamp) {
        let start = due_at.before(OVERLAP);
        let mut inner = self.inner();
        match inner.cursors.get_mut(handler).and_then(|events| events.get_mut(event)) {
            Some(cursor) => *cursor = start.max(*cursor),
            None => {
                inner.cursors.entry(handler.to_owned()).or_default().insert(event.to_owned(), start);
            }
        }
    }

    /// One that was recorded then, and has a key, has let another one go: one that was recorded later.
    pub(super) fn released(&self, handler: &str, recorded_at: Timestamp) {
        let start = recorded_at.before(OVERLAP);
        if let Some(events) = self.inner().cursors.get_mut(handler) {
            events.values_mut().for_each(|cursor| *cursor = start.min(*cursor));
        }
    }

    /// Something was released, nobody knows what.
    pub(super) fn clear(&self) {
        self.inner().cursors.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
