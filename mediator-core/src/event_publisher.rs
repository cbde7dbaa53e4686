//! How the handlers of one event are run: the strategies' side of a publish.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use crate::dispatch::{Dispatch, Polled, Slot};
use crate::registry::HandlerInfo;
use crate::{DynNotification, HandlerFailure, PublishError};

/// A strategy: decides when and in what company the handlers of an event run.
///
/// [`SequentialEventPublisher`](crate::SequentialEventPublisher) and
/// [`GroupEventPublisher`](crate::GroupEventPublisher) are ready to use. A strategy of one's own
/// gets the deliveries to make and says what came of them:
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::Deliveries;
///
/// /// Runs every handler, one after another, whatever becomes of the others.
/// struct BestEffort;
///
/// impl EventPublisher for BestEffort {
///     async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
///         let mut failures = Vec::new();
///         for delivery in deliveries.iter() {
///             failures.extend(delivery.deliver().await.err());
///         }
///         deliveries.finish(failures)
///     }
/// }
///
/// let mediator = Mediator::builder().event_publisher(BestEffort).build().unwrap();
/// ```
///
/// Installed in the builder it costs one boxed future per publish that has handlers; passed to
/// [`publish_with`](crate::Mediator::publish_with), none.
pub trait EventPublisher: Send + Sync + 'static {
    /// Runs the handlers; called only for events that have some.
    ///
    /// Dropping the future cancels the publish: it must not leave handlers running.
    ///
    /// # Errors
    ///
    /// What [`Deliveries::finish`] makes of the failures that matter to this strategy.
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// The strategy as a mediator keeps it.
    #[doc(hidden)]
    fn into_strategy(self) -> Strategy
    where
        Self: Sized,
    {
        Strategy(Kind::Custom(Box::new(self)))
    }
}

/// The default strategy of a mediator.
#[doc(hidden)]
pub struct Strategy(pub(crate) Kind);

pub(crate) enum Kind {
    Sequential,
    Group,
    Custom(Box<dyn BoxedEventPublisher>),
}

/// [`EventPublisher`] with a boxed future, for strategies whose type the mediator forgets.
pub(crate) trait BoxedEventPublisher: Send + Sync {
    fn publish_boxed<'a>(&'a self, deliveries: Deliveries<'a>) -> BoxedPublish<'a>;
}

pub(crate) type BoxedPublish<'a> = Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

impl<P: EventPublisher> BoxedEventPublisher for P {
    fn publish_boxed<'a>(&'a self, deliveries: Deliveries<'a>) -> BoxedPublish<'a> {
        Box::pin(self.publish(deliveries))
    }
}

/// One event and the handlers it is to be delivered to, in order; what an [`EventPublisher`] gets.
pub struct Deliveries<'a> {
    dispatch: Dispatch<'a>,
    /// How far each handler got: the first ones in place, so that a publish to a few allocates
    /// nothing; the others when one of them is first asked for.
    progress: [AtomicU8; IN_PLACE],
    more_progress: OnceLock<Box<[AtomicU8]>>,
}

const IN_PLACE: usize = 32;

const NOT_STARTED: u8 = 0;
const STARTED: u8 = 1;
const FINISHED: u8 = 2;

impl<'a> Deliveries<'a> {
    pub(crate) fn new(dispatch: Dispatch<'a>) -> Self {
        Self { dispatch, progress: [const { AtomicU8::new(NOT_STARTED) }; IN_PLACE], more_progress: OnceLock::new() }
    }

    pub(crate) fn into_dispatch(self) -> Dispatch<'a> {
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

    /// The result of the publish: an error that lists `failures`, the handlers that were started
    /// and did not finish, and those that were not started; `Ok` if there are no failures.
    ///
    /// # Errors
    ///
    /// If there are failures.
    pub fn finish(&self, failures: impl IntoIterator<Item = HandlerFailure>) -> Result<(), PublishError> {
        let mut failures = failures.into_iter().peekable();
        if failures.peek().is_none() {
            return Ok(());
        }
        Err(PublishError::new(self.event())
            .with_failures(failures)
            .with_cancelled(self.handlers_at(STARTED))
            .with_not_run(self.handlers_at(NOT_STARTED)))
    }

    fn handlers_at(&self, stage: u8) -> impl Iterator<Item = HandlerInfo> {
        let handlers = self.dispatch.handlers().iter().enumerate();
        handlers
            .filter(move |(index, _)| self.progress(*index).load(Ordering::Relaxed) == stage)
            .map(|(_, handler)| *handler)
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
/// use mediator_core::{Deliveries, prelude::*};
///
/// /// One after another like the default, but each handler gets a second chance.
/// struct TwoTries;
///
/// impl EventPublisher for TwoTries {
///     async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
///         for delivery in deliveries.iter() {
///             if delivery.deliver().await.is_err() {
///                 println!("{} failed, trying again", delivery.handler());
///                 if let Err(failure) = delivery.deliver().await {
///                     return deliveries.finish([failure]);
///                 }
///             }
///         }
///         Ok(())
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
