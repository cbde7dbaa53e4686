//! A behavior that runs again what has failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::behavior::{Behavior, Outcome};
use super::message::Message;
use crate::dispatch::{Call, MessageKind};
use crate::handler::error::as_written;

/// Runs what has failed again, after a pause.
///
/// As a behavior, it is around each handler of every event and request, and runs again the one that has failed, and no other. For
/// one handler alone there is an option of its attribute, as in `#[event_handler(OrderPlaced, retry(attempts = 3))]`; a behavior
/// of your own [runs](Self::run) it around what that chooses.
///
/// ```standalone_crate
/// use std::io;
/// use std::time::Duration;
/// use mediator_core::{Retry, prelude::*};
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler]
/// async fn announce(_event: &OrderPlaced, attempts: std::sync::Arc<std::sync::atomic::AtomicU32>) -> io::Result<()> {
///     match attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
///         0 => Err(io::ErrorKind::ConnectionReset.into()),
///         _ => Ok(()),
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let retry = Retry::new()
///     .attempts(5)
///     .base(Duration::from_millis(50))
///     .cap(Duration::from_secs(1))
///     .when(|error| error.is::<io::Error>());
/// let mediator = Mediator::builder().provide(std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0))).behavior(retry).build()?;
/// mediator.publish(OrderPlaced::new()).await?;
/// # Ok::<(), Box<dyn Error>>(())
/// # })?;
/// # use std::error::Error;
/// # Ok::<(), Box<dyn Error>>(())
/// ```
///
/// The first pause lasts at most as long as [`base`](Self::base), and each further one twice as long, up to
/// [`cap`](Self::cap). How long it really is, between nothing and that, is drawn at random (full jitter), so that those
/// who failed together do not come again together. It is slept on tokio, which needs a runtime with its time driver.
///
/// What is not run again:
///
/// - a handler that [borrows a `&mut`](Call::borrows_exclusively) from outside of this: what the first run wrote through it
///   would stay. What a behavior inside of this lends is made anew for each run;
/// - a handler that panicked;
/// - what has failed with an error that the [predicate](Self::when) does not accept. Without one, every error will do: also
///   the [`TimedOut`](crate::TimedOut) of a timeout inside, and the refusal of a behavior inside.
///
/// What a handler publishes is published by each run of it.
#[derive(Clone)]
pub struct Retry {
    attempts: u32,
    base: Duration,
    cap: Duration,
    when: Option<Arc<Predicate>>,
}

type Predicate = dyn Fn(&(dyn Error + 'static)) -> bool + Send + Sync;

impl Retry {
    /// Three attempts, with pauses of at most 100 ms and 200 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self { attempts: 3, base: Duration::from_millis(100), cap: Duration::from_secs(10), when: None }
    }

    /// How often it runs at most, the first time included; 3 by default. It runs once, whatever this says.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long the first pause is at most; 100 ms by default. Each further one may be twice as long.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// How long any pause is at most; 10 s by default.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// After which errors it runs again; by default after any.
    ///
    /// It is shown the error that the handler, or a behavior inside, has returned: `error.downcast_ref::<OrderError>()`
    /// looks into it. Of an `anyhow::Error`, that is the error it was made from, if the feature `anyhow` is on.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&(dyn Error + 'static)) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Arc::new(predicate));
        self
    }

    /// Runs the rest of a passage, again and again if need be.
    ///
    /// ```standalone_crate
    /// # use std::time::Duration;
    /// # use mediator_core::{Retry, prelude::*};
    /// # #[request] struct Tidy;
    /// struct Stubborn;
    ///
    /// impl Behavior<Tidy> for Stubborn {
    ///     async fn handle(&self, mut call: Call<'_, Tidy>) -> Result<(), SendError> {
    ///         Retry::new().attempts(10).run(&mut call).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the last run.
    pub async fn run<M: Message>(&self, call: &mut Call<'_, M>) -> Outcome<M> {
        let retries = if call.borrows_exclusively() { 0 } else { self.attempts.saturating_sub(1) };
        for retry in 0..retries {
            match call.run().await {
                Ok(response) => return Ok(response),
                Err(error) => self.accept(call, error)?,
            }
            tokio::time::sleep(self.pause(retry)).await;
        }
        call.run().await
    }

    /// # Errors
    ///
    /// The error, if it is not one to run again after.
    fn accept<M: Message>(&self, call: &Call<'_, M>, error: M::Error) -> Result<(), M::Error> {
        let Some(when) = &self.when else { return Ok(()) };
        let error = M::Kind::into_box(error);
        if when(as_written(&error)) { Ok(()) } else { Err(call.error_of(error)) }
    }

    /// How long to wait before a retry, the first of which is number 0.
    fn pause(&self, retry: u32) -> Duration {
        self.longest_pause(retry).mul_f64(fastrand::f64())
    }

    fn longest_pause(&self, retry: u32) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(retry)).min(self.cap)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, base, cap, when } = self;
        let mut text = f.debug_struct("Retry");
        text.field("attempts", attempts).field("base", base).field("cap", cap);
        if when.is_some() { text.finish_non_exhaustive() } else { text.finish() }
    }
}

impl Behavior for Retry {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        self.run(&mut call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let retry = Retry::new().base(Duration::from_millis(50)).cap(Duration::from_millis(300));
        let longest: Vec<_> = (0..5).map(|number| retry.longest_pause(number).as_millis()).collect();
        assert_eq!(longest, [50, 100, 200, 300, 300]);
        assert_eq!(retry.longest_pause(u32::MAX), Duration::from_millis(300));
        assert_eq!(retry.clone().cap(Duration::ZERO).longest_pause(0), Duration::ZERO);
    }

    #[test]
    fn a_pause_is_drawn_anew_and_never_too_long() {
        let retry = Retry::new();
        let pauses: Vec<_> = (0..100).map(|_| retry.pause(1)).collect();
        assert!(pauses.iter().all(|pause| *pause <= retry.longest_pause(1)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        assert_eq!(Retry::new().base(Duration::MAX).cap(Duration::MAX).longest_pause(9), Duration::MAX);
    }
}
