//! When a failed attempt is made again.

use std::time::Duration;

use mediator_core::durable::{DurableHandler, Permanent, RetryAfter};

use crate::store::Then;

/// How often and when deliveries are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) attempts: u32,
    pub(super) base: Duration,
    pub(super) cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 10, base: Duration::from_secs(1), cap: Duration::from_secs(5 * 60) }
    }
}

impl Policy {
    /// What the handler says, and this where it says nothing.
    pub(super) fn of(self, handler: &DurableHandler) -> Self {
        let own = handler.retry();
        Self {
            attempts: own.attempts.unwrap_or(self.attempts),
            base: own.base.unwrap_or(self.base),
            cap: own.cap.unwrap_or(self.cap),
        }
    }

    /// What follows when this attempt has failed, with the errors by which a handler or a bus says so; `dead` is what the last one is
    /// followed by.
    pub(super) fn after(
        &self,
        attempt: u32,
        permanent: Option<&Permanent>,
        retry_after: Option<&RetryAfter>,
        dead: Then,
    ) -> Then {
        if permanent.is_some() {
            return dead;
        }
        match (self.next(attempt, dead), retry_after) {
            (Then::Retry(_), Some(later)) => Then::Retry(later.delay()),
            (then, _) => then,
        }
    }

    /// What follows when this attempt has failed without a word of the handler's.
    pub(super) fn next(&self, attempt: u32, dead: Then) -> Then {
        if attempt >= self.attempts { dead } else { Then::Retry(self.pause(attempt)) }
    }

    /// The pause after this attempt: full jitter below the exponential backoff
    /// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
    fn pause(&self, attempt: u32) -> Duration {
        let longest = 2u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| self.base.checked_mul(factor));
        longest.unwrap_or(self.cap).min(self.cap).mul_f64(fastrand::f64())
    }
}

/// What a dead delivery of a handler means for those behind it.
pub(super) fn dead(handler: &DurableHandler) -> Then {
    if handler.skips_dead() { Then::DeadKeyGoesOn } else { Then::Dead }
}
