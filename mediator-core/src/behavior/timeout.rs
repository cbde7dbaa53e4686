//! A behavior that gives up on a handler.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::behavior::{Behavior, Outcome};
use super::message::Message;
use crate::dispatch::Call;

/// Drops what takes too long.
///
/// As a behavior, it gives each handler of every event and request so much time, [`TimedOut`] being the error of one that
/// takes longer. For one handler alone there is an option of its attribute, as in
/// `#[event_handler(OrderPlaced, timeout = "2s")]`; a behavior of your own [runs](Self::run) it around what that chooses.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use mediator_core::{TimedOut, Timeout, prelude::*};
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler]
/// async fn ask_the_bank(_event: &OrderPlaced) {
///     std::future::pending().await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let mediator = Mediator::builder().behavior(Timeout::new(Duration::from_secs(2))).build()?;
/// let error = mediator.publish(OrderPlaced::new()).await.unwrap_err();
/// assert_eq!(error.downcast_ref::<TimedOut>().unwrap().limit(), Duration::from_secs(2));
/// # Ok::<(), BuildError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A handler is dropped at the `.await` that it is waiting at, so one that never waits is not stopped. Needs a tokio runtime
/// with its time driver; without one it panics when a handler is called, which is that handler's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout {
    limit: Duration,
}

impl Timeout {
    /// Gives a handler, and the behaviors that are inside, so much time.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// Runs the rest of a passage for no longer than this allows.
    ///
    /// ```standalone_crate
    /// # use std::time::Duration;
    /// # use mediator_core::{Timeout, prelude::*};
    /// # #[request] struct Tidy;
    /// struct Patient;
    ///
    /// impl Behavior<Tidy> for Patient {
    ///     async fn handle(&self, mut call: Call<'_, Tidy>) -> Result<(), SendError> {
    ///         Timeout::new(Duration::from_secs(60)).run(&mut call).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Call::run`]. If it takes too long, a [`TimedOut`]; of a request, [`SendError::Refused`](crate::SendError::Refused)
    /// with that as its [`source`](Error::source), unless the request's errors are boxes.
    pub async fn run<M: Message>(&self, call: &mut Call<'_, M>) -> Outcome<M> {
        match tokio::time::timeout(self.limit, call.run()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(call.error_of(Box::new(TimedOut { limit: self.limit }))),
        }
    }
}

impl Behavior for Timeout {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        self.run(&mut call).await
    }
}

/// A handler took longer than its [`Timeout`] allows, and was dropped.
///
/// Of an event, it is the handler's error, to be found by [`PublishError::downcast_ref`](crate::PublishError::downcast_ref); of a
/// request, the [`source`](Error::source) of a [`SendError::Refused`](crate::SendError::Refused):
///
/// ```standalone_crate
/// use std::error::Error;
/// use mediator_core::{TimedOut, prelude::*};
///
/// #[request]
/// struct Tidy;
///
/// #[request_handler(timeout = "50ms")]
/// async fn tidy(_request: &Tidy) {
///     std::future::pending().await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let error = Mediator::new()?.send(Tidy).await.unwrap_err();
/// let timed_out = error.source().and_then(|source| source.downcast_ref::<TimedOut>()).unwrap();
/// assert_eq!(timed_out.to_string(), "timed out after 50ms");
/// # Ok::<(), BuildError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    limit: Duration,
}

impl TimedOut {
    /// How long it was allowed to take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {:?}", self.limit)
    }
}

impl Error for TimedOut {}
