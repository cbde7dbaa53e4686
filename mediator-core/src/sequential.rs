//! One handler after another.

use std::future::poll_fn;
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
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialEventPublisher;

impl EventPublisher for SequentialEventPublisher {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        run(deliveries.into_dispatch())
    }

    fn into_strategy(self) -> Strategy {
        Strategy(Kind::Sequential)
    }
}

pub(crate) async fn run(dispatch: Dispatch<'_>) -> Result<(), PublishError> {
    let mut slot = pin!(Slot::empty());
    let mut current = 0;
    poll_fn(|cx| {
        // One for all handlers of this poll: `current` tells whose panic it was.
        let pass = catch_unwind(AssertUnwindSafe(|| pass(&dispatch, &mut current, slot.as_mut(), cx)));
        let caught = match pass {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => return Poll::Ready(Ok(())),
            Ok(Poll::Ready(outcome)) => Ok(outcome),
            Err(panic) => Err(panic),
        };
        Poll::Ready(Err(stopped(&dispatch, current, caught)))
    })
    .await
}

/// Goes on with the `current` handler and then with those behind it, as far as they are ready.
#[inline]
fn pass<'a>(
    dispatch: &Dispatch<'a>,
    current: &mut usize,
    mut slot: Pin<&mut Slot<'a>>,
    cx: &mut Context<'_>,
) -> Poll<Outcome> {
    if let Some(running) = slot.as_mut().poll(cx) {
        ready!(running)?;
        *current += 1;
    }
    while *current < dispatch.len() {
        ready!(dispatch.start(*current, slot.as_mut(), cx))?;
        *current += 1;
    }
    Poll::Ready(Ok(()))
}

#[cold]
fn stopped(dispatch: &Dispatch<'_>, current: usize, caught: std::thread::Result<Outcome>) -> PublishError {
    let (handler, rest) = (dispatch.handlers()[current], &dispatch.handlers()[current + 1..]);
    PublishError::new(dispatch.event())
        .with_failures(HandlerFailure::of(handler, caught))
        .with_not_run(rest.iter().copied())
}
