//! What time it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// What time it is, for outboxes that keep it themselves: SQLite's and the one in memory.
///
/// Tests hand in one that stands still until it is moved:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use mediator_outbox::Clock;
///
/// let clock = Clock::fixed(SystemTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Mutex<SystemTime>>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still.
    #[must_use]
    pub fn fixed(now: SystemTime) -> Self {
        Self(Some(Arc::new(Mutex::new(now))))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(fixed) => *fixed.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a clock that stands still; all clones of it.
    ///
    /// # Panics
    ///
    /// If it is the system's clock.
    pub fn advance(&self, by: Duration) {
        assert!(self.try_advance(by), "the system's clock cannot be moved; make one by `Clock::fixed`");
    }

    /// The same; whether it stands still.
    pub(crate) fn try_advance(&self, by: Duration) -> bool {
        let Some(fixed) = &self.0 else { return false };
        *fixed.lock().unwrap_or_else(PoisonError::into_inner) += by;
        true
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Clock::system()"),
            Some(_) => f.debug_tuple("Clock::fixed").field(&self.now()).finish(),
        }
    }
}
