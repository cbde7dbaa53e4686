//! What the attribute of a durable handler says.

use std::time::Duration;

use super::event::{Codec, Recordable};

/// The options of `#[event_handler(durable, …)]`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct DurableOptions {
    pub(crate) codec: Codec,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) retry: RetryOptions,
    pub(crate) skips_dead: bool,
}

/// How a durable handler is retried, where its attribute says so: `retry(attempts = 10, base = "1s", cap = "5m")`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How many attempts there are, with the first one.
    pub attempts: Option<u32>,
    /// The longest pause after the first attempt.
    pub base: Option<Duration>,
    /// The longest pause of all.
    pub cap: Option<Duration>,
}

impl DurableOptions {
    #[must_use]
    pub const fn new<E: Recordable>() -> Self {
        let retry = RetryOptions { attempts: None, base: None, cap: None };
        Self { codec: Codec::of::<E>(), aliases: &[], retry, skips_dead: false }
    }

    /// With the user's `alias = […]`.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// With the user's `attempts = …` in `retry(…)`.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.retry.attempts = Some(attempts);
        self
    }

    /// With the user's `base = …` in `retry(…)`.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.retry.base = Some(base);
        self
    }

    /// With the user's `cap = …` in `retry(…)`.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.retry.cap = Some(cap);
        self
    }

    /// With the user's `dead = skip`.
    #[must_use]
    pub const fn skip_dead(mut self) -> Self {
        self.skips_dead = true;
        self
    }
}
