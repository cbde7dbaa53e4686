//! Errors by which a durable handler says what is to happen next.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::handler::error::BoxError;

/// An error that another attempt would not mend: the delivery is dead at once.
///
/// ```
/// use mediator_core::durable::Permanent;
///
/// fn parse(amount: &str) -> Result<u64, Permanent> {
///     amount.parse().map_err(Permanent)
/// }
///
/// let error = parse("much").unwrap_err();
/// assert_eq!(error.to_string(), "not to be tried again");
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "invalid digit found in string");
/// ```
#[derive(Debug)]
pub struct Permanent {
    error: BoxError,
}

/// Makes a [`Permanent`](struct@Permanent) of any error.
#[allow(non_snake_case)] // Written like the constructor of a tuple struct, which could not convert.
pub fn Permanent(error: impl Into<BoxError>) -> Permanent {
    Permanent { error: error.into() }
}

impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not to be tried again")
    }
}

impl Error for Permanent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

/// An error after which the next attempt is made in so long, instead of when the handler's backoff says.
///
/// It is an attempt as any other: the last one makes the delivery dead.
///
/// ```
/// use std::time::Duration;
/// use mediator_core::durable::RetryAfter;
///
/// let error = RetryAfter(Duration::from_secs(30), "429 too many requests");
/// assert_eq!(error.delay(), Duration::from_secs(30));
/// ```
#[derive(Debug)]
pub struct RetryAfter {
    delay: Duration,
    error: BoxError,
}

/// Makes a [`RetryAfter`](struct@RetryAfter) of any error.
#[allow(non_snake_case)] // As `Permanent`.
pub fn RetryAfter(delay: Duration, error: impl Into<BoxError>) -> RetryAfter {
    RetryAfter { delay, error: error.into() }
}

impl RetryAfter {
    /// How long to wait before the next attempt.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to be tried again in {:?}", self.delay)
    }
}

impl Error for RetryAfter {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}
