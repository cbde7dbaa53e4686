//! One handler after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use crate::dispatch::{Dispatch, Outcome, Slot};
use crate::event_publisher::{Kind, Strategy};
use crate::{Deliveries, EventPublisher, HandlerFailure, PublishError};

/// Runs the handlers one after another, in order; the first failure stops.
///
/// This is the default. After a failure the later handlers do not start; what earlier ones did is
/// not undone. A publish allocates nothing, pending handlers included, unless a handler fails or
/// its future is larger than 128 bytes.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// fn first(_event: &OrderPlaced) -> Result<(), &'static str> {
///     Err("no luck")
/// }
///
/// #[event_handler]
/// fn second(_event: &OrderPlaced) {}
///
/// let builder = Mediator::builder().without_discovery().bind::<OrderPlaced, first>().bind::<OrderPlaced, second>();
/// let mediator = builder.event_publisher(SequentialEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.not_run().len(), 1);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialEventPublisher;

impl EventPublisher for SequentialEventPublisher {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        Sequential::new(deliveries.into_dispatch(), pin!(Slot::empty())).await
    }

    fn into_strategy(self) -> Strategy {
        Strategy(Kind::Sequential)
    }
}

/// A publish under way.
pub(crate) struct Sequential<'s, 'a> {
    dispatch: Dispatch<'a>,
    /// The handler that runs or is the next to start.
    current: usize,
    slot: Pin<&'s mut Slot<'a>>,
}

impl<'s, 'a> Sequential<'s, 'a> {
    #[inline]
    pub(crate) fn new(dispatch: Dispatch<'a>, slot: Pin<&'s mut Slot<'a>>) -> Self {
        Self { dispatch, current: 0, slot }
    }

    /// Goes on with the `current` handler and then with those behind it, as far as they are ready.
    #[inline]
    fn pass(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let dispatch = self.dispatch;
        if let Some(running) = self.slot.as_mut().poll(cx) {
            ready!(running)?;
            self.current += 1;
        }
        while self.current < dispatch.len() {
            ready!(dispatch.start(self.current, self.slot.as_mut(), cx))?;
            self.current += 1;
        }
        Poll::Ready(Ok(()))
    }
}

impl Future for Sequential<'_, '_> {
    type Output = Result<(), PublishError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Caught once for all handlers of this pass: `current` tells whose panic it was.
        let caught = match catch_unwind(AssertUnwindSafe(|| self.pass(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => return Poll::Ready(Ok(())),
            Ok(Poll::Ready(outcome)) => Ok(outcome),
            Err(panic) => Err(panic),
        };
        Poll::Ready(Err(stopped(&self.dispatch, self.current, caught)))
    }
}

#[cold]
fn stopped(dispatch: &Dispatch<'_>, current: usize, caught: std::thread::Result<Outcome>) -> PublishError {
    let (handler, rest) = (dispatch.handlers()[current], &dispatch.handlers()[current + 1..]);
    PublishError::new(dispatch.event())
        .with_failures(HandlerFailure::of(handler, caught))
        .with_not_run(rest.iter().copied())
}
