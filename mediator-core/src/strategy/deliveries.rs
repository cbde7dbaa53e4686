//! What a strategy is given to deliver.

use std::error::Error;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use crate::dispatch::{Dispatch, Polled, Slot};
use crate::errors::handler_failure::HandlerFailure;
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::handler::info::HandlerInfo;

/// One event and the handlers it is to be delivered to, in order; what an [`EventPublisher`](crate::EventPublisher) gets.
pub struct Deliveries<'a> {
    dispatch: &'a Dispatch<'a>,
    /// How far each handler got: the first ones in place, so that a publish to a few allocates
    /// nothing; the others when one of them is first asked for.
    progress: [AtomicU8; IN_PLACE],
    more_progress: OnceLock<Box<[AtomicU8]>>,
}

const IN_PLACE: usize = 32;

const NOT_STARTED: u8 = 0;
const STARTED: u8 = 1;
const FINISHED: u8 = 2;
const SKIPPED: u8 = 3;
/// Beside one of these.
const FAILED: u8 = 4;

impl<'a> Deliveries<'a> {
    pub(crate) fn new(dispatch: &'a Dispatch<'a>) -> Self {
        Self { dispatch, progress: [const { AtomicU8::new(NOT_STARTED) }; IN_PLACE], more_progress: OnceLock::new() }
    }

    /// For a strategy that runs all handlers, whatever was started or skipped before.
    pub(super) fn into_dispatch(self) -> &'a Dispatch<'a> {
        self.dispatch
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &'a dyn DynNotification {
        self.dispatch.event()
    }

    /// How many handlers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dispatch.len()
    }

    /// Whether there is no handler.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The deliveries, in the order of the handlers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Delivery<'_>> + Send {
        (0..self.len()).map(|index| Delivery { deliveries: self, index })
    }

    /// The result of the publish: `Ok` if there are no failures and every handler that was not [skipped](Delivery::skip) ran to
    /// its end.
    ///
    /// # Errors
    ///
    /// Otherwise, with `failures`, the handlers that were started and cut off, and those that were not started.
    pub fn finish(&self, failures: impl IntoIterator<Item = HandlerFailure>) -> Result<(), PublishError> {
        let failures: Vec<_> = failures.into_iter().collect();
        let is_unfinished = |index: usize| matches!(self.stage(index, &failures), NOT_STARTED | STARTED);
        if failures.is_empty() && !(0..self.len()).any(is_unfinished) {
            return Ok(());
        }
        let [cancelled, not_run] = [STARTED, NOT_STARTED].map(|stage| self.handlers_at(stage, &failures));
        Err(PublishError::new(PublishErrorKind::Handlers, self.event())
            .with_failures(failures)
            .with_cancelled(cancelled)
            .with_not_run(not_run))
    }

    fn handlers_at(&self, stage: u8, failures: &[HandlerFailure]) -> Vec<HandlerInfo> {
        let handlers = self.dispatch.handlers().iter().enumerate();
        handlers.filter(|(index, _)| self.stage(*index, failures) == stage).map(|(_, handler)| *handler).collect()
    }

    /// How far a handler is, if these are the failures. One that the strategy has failed and says nothing of is where it was.
    fn stage(&self, index: usize, failures: &[HandlerFailure]) -> u8 {
        let progress = self.progress(index).load(Ordering::Relaxed);
        let handler = &self.dispatch.handlers()[index];
        let is_told = progress & FAILED != 0 && failures.iter().any(|failure| failure.handler() == handler);
        if is_told { FINISHED } else { progress & !FAILED }
    }

    fn progress(&self, index: usize) -> &AtomicU8 {
        let more = || (IN_PLACE..self.len()).map(|_| AtomicU8::new(NOT_STARTED)).collect();
        match index.checked_sub(IN_PLACE) {
            None => &self.progress[index],
            Some(index) => &self.more_progress.get_or_init(more)[index],
        }
    }
}

impl std::fmt::Debug for Deliveries<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliveries").field("event", &self.event()).field("handlers", &self.dispatch.handlers()).finish()
    }
}

/// One handler that the event is to be delivered to.
///
/// ```
/// use std::time::Duration;
/// use mediator_core::{Deliveries, prelude::*};
///
/// /// Cuts off handlers that take too long.
/// struct TimeLimit(Duration);
///
/// impl EventPublisher for TimeLimit {
///     async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
///         let mut failures = Vec::new();
///         for delivery in deliveries.iter() {
///             match tokio::time::timeout(self.0, delivery.deliver()).await {
///                 Ok(outcome) => failures.extend(outcome.err()),
///                 Err(elapsed) => failures.push(delivery.fail(elapsed)),
///             }
///         }
///         deliveries.finish(failures)
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    deliveries: &'a Deliveries<'a>,
    index: usize,
}

impl<'a> Delivery<'a> {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &'a dyn DynNotification {
        self.deliveries.event()
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &'a HandlerInfo {
        &self.deliveries.dispatch.handlers()[self.index]
    }

    /// Leaves the handler out on purpose: [`finish`](Deliveries::finish) does not miss it.
    pub fn skip(self) {
        self.deliveries.progress(self.index).store(SKIPPED, Ordering::Relaxed);
    }

    /// A failure of this handler for a reason of the strategy's, such as a time limit.
    ///
    /// To be passed to [`finish`](Deliveries::finish), which lists the handler as cancelled or not run otherwise.
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) -> HandlerFailure {
        self.deliveries.progress(self.index).fetch_or(FAILED, Ordering::Relaxed);
        HandlerFailure::new(*self.handler(), Ok(Box::new(error.into())))
    }

    /// Runs the handler to its end. May be called again, for instance to retry.
    ///
    /// Dropping the future cancels the handler. The handler's future is kept inside this one as
    /// long as it is small.
    ///
    /// # Errors
    ///
    /// The handler's error, or its panic.
    pub async fn deliver(self) -> Result<(), HandlerFailure> {
        let progress = self.deliveries.progress(self.index);
        progress.store(STARTED, Ordering::Relaxed);
        let mut slot = pin!(Slot::empty());
        let caught = poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let running = slot.as_mut().poll(cx);
                running.unwrap_or_else(|| self.deliveries.dispatch.start(self.index, slot.as_mut(), cx))
            }));
            match polled {
                Ok(Polled::Pending) => Poll::Pending,
                Ok(Polled::Done) => Poll::Ready(None),
                Ok(Polled::Failed(error)) => Poll::Ready(Some(Ok(error))),
                Err(panic) => Poll::Ready(Some(Err(panic))),
            }
        })
        .await;
        progress.store(FINISHED, Ordering::Relaxed);
        caught.map_or(Ok(()), |caught| Err(HandlerFailure::new(*self.handler(), caught)))
    }
}
