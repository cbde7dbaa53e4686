//! All handlers at once.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::dispatch::{Dispatch, Slot};
use crate::event_publisher::{Kind, Strategy};
use crate::{Deliveries, EventPublisher, HandlerFailure, PublishError};

/// Runs the handlers concurrently inside the publishing task; nothing is spawned.
///
/// Every handler is started, in order, even if an earlier one failed at once. Once one has failed
/// and the current pass over the handlers is done, the unfinished ones are dropped. Every failure
/// that happened is reported, in the order of the handlers.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupEventPublisher;

impl EventPublisher for GroupEventPublisher {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        run(deliveries.into_dispatch())
    }

    fn into_strategy(self) -> Strategy {
        Strategy(Kind::Group)
    }
}

pub(crate) async fn run(dispatch: Dispatch<'_>) -> Result<(), PublishError> {
    let mut group = Group { dispatch, running: Vec::new(), started: false };
    poll_fn(|cx| group.poll(cx)).await
}

struct Group<'a> {
    dispatch: Dispatch<'a>,
    running: Vec<(usize, Pin<Box<Slot<'a>>>)>,
    started: bool,
}

impl Group<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PublishError>> {
        let mut failures = Vec::new();
        if !self.started {
            self.started = true;
            self.start_all(&mut failures, cx);
        } else {
            self.poll_all(&mut failures, cx);
        }
        if failures.is_empty() {
            return if self.running.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let cancelled: Vec<_> = self.running.iter().map(|(index, _)| self.dispatch.handlers()[*index]).collect();
        for (index, mut slot) in self.running.drain(..) {
            let dropped = catch_unwind(AssertUnwindSafe(|| slot.as_mut().clear()));
            failures.extend(HandlerFailure::of(self.dispatch.handlers()[index], dropped.map(Ok)));
        }
        Poll::Ready(Err(PublishError::new(self.dispatch.event()).with_failures(failures).with_cancelled(cancelled)))
    }

    fn start_all(&mut self, failures: &mut Vec<HandlerFailure>, cx: &mut Context<'_>) {
        for index in 0..self.dispatch.len() {
            let mut slot = Box::pin(Slot::empty());
            let polled = catch_unwind(AssertUnwindSafe(|| self.dispatch.start(index, slot.as_mut(), cx)));
            match polled {
                Ok(Poll::Pending) => self.running.push((index, slot)),
                Ok(Poll::Ready(outcome)) => {
                    failures.extend(HandlerFailure::of(self.dispatch.handlers()[index], Ok(outcome)));
                }
                Err(panic) => failures.extend(HandlerFailure::of(self.dispatch.handlers()[index], Err(panic))),
            }
        }
    }

    fn poll_all(&mut self, failures: &mut Vec<HandlerFailure>, cx: &mut Context<'_>) {
        let dispatch = self.dispatch;
        self.running.retain_mut(|(index, slot)| {
            let polled = catch_unwind(AssertUnwindSafe(|| slot.as_mut().poll(cx)));
            match polled {
                Ok(Some(Poll::Pending)) => true,
                Ok(Some(Poll::Ready(outcome))) => {
                    failures.extend(HandlerFailure::of(dispatch.handlers()[*index], Ok(outcome)));
                    false
                }
                Ok(None) => false,
                Err(panic) => {
                    failures.extend(HandlerFailure::of(dispatch.handlers()[*index], Err(panic)));
                    false
                }
            }
        });
    }
}
