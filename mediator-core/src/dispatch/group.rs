//! Handlers that run at once, inside the publishing task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::dispatch::Dispatch;
use super::group_wakers::Wakes;
use super::slot::{Slot, Slots};
use super::vtable::Polled;
use crate::errors::handler_failure::{Caught, HandlerFailure};
use crate::errors::publish_error::{PublishError, PublishErrorKind};

/// So many pending handlers are all polled at each wake: cheaper than finding out which to poll.
const SMALL: usize = 8;

/// So many passes over all handlers come before wakers of their own: making one costs about as much
/// as polling so often in vain.
const SHARED_PASSES: usize = 8;

/// All handlers of one dispatch, polled together.
pub(crate) struct Group<'a> {
    dispatch: &'a Dispatch<'a>,
    stop_on_failure: bool,
    /// How many slots have been in use. The futures in them are in the order of the handlers, with
    /// gaps where they have finished.
    used: usize,
    /// How many still are.
    pending: usize,
    /// Passes made over all handlers.
    passes: usize,
    wakes: Option<Wakes>,
    /// With the handlers' places in their list.
    failures: Vec<(usize, HandlerFailure)>,
}

impl<'a> Group<'a> {
    /// Whether the first pass in which a handler fails is the last one.
    pub(crate) fn new(dispatch: &'a Dispatch<'a>, stop_on_failure: bool) -> Self {
        Self { dispatch, stop_on_failure, used: 0, pending: 0, passes: 0, wakes: None, failures: Vec::new() }
    }

    pub(crate) fn poll(
        &mut self,
        mut slots: Pin<&mut Slots<'a>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), PublishError>> {
        self.pass(slots.as_mut(), cx);
        let stopped = self.stop_on_failure && !self.failures.is_empty();
        if self.pending > 0 && !stopped {
            return Poll::Pending;
        }
        Poll::Ready(if self.failures.is_empty() { Ok(()) } else { Err(self.stop(slots)) })
    }

    /// Polls the handlers that may have something to do; the first pass starts all of them.
    fn pass(&mut self, mut slots: Pin<&mut Slots<'a>>, cx: &mut Context<'_>) {
        if self.passes == 0 {
            self.start_all(slots, cx);
        } else if let Some(wakes) = self.wakes.take() {
            wakes.set_task(cx.waker());
            wakes.drain(|slot| self.poll_slot(slots.as_mut().slot(slot), &mut wakes.context(slot)));
            self.wakes = Some(wakes);
            return;
        } else if self.passes < SHARED_PASSES || self.pending <= SMALL {
            (0..self.used).for_each(|slot| self.poll_slot(slots.as_mut().slot(slot), cx));
        } else {
            let wakes = Wakes::new(self.used, cx.waker());
            for slot in 0..self.used {
                self.poll_slot(slots.as_mut().slot(slot), &mut wakes.context(slot));
            }
            self.wakes = Some(wakes);
        }
        self.passes += 1;
    }

    fn start_all(&mut self, mut slots: Pin<&mut Slots<'a>>, cx: &mut Context<'_>) {
        let dispatch = self.dispatch;
        for handler in 0..dispatch.len() {
            if self.used == slots.len() {
                slots.as_mut().extend(dispatch.len() - handler);
            }
            let slot = slots.as_mut().slot(self.used);
            match catch_unwind(AssertUnwindSafe(|| dispatch.start(handler, slot, cx))) {
                Ok(Polled::Done) => {}
                Ok(Polled::Pending) => self.used += 1,
                Ok(Polled::Failed(error)) => self.fail(handler, Ok(error)),
                Err(panic) => self.fail(handler, Err(panic)),
            }
        }
        self.pending = self.used;
    }

    fn poll_slot(&mut self, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) {
        let Some(handler) = slot.handler() else { return };
        match catch_unwind(AssertUnwindSafe(|| slot.poll(cx))) {
            Ok(None | Some(Polled::Pending)) => return,
            Ok(Some(Polled::Done)) => {}
            Ok(Some(Polled::Failed(error))) => self.fail(handler, Ok(error)),
            Err(panic) => self.fail(handler, Err(panic)),
        }
        self.pending -= 1;
    }

    #[cold]
    fn fail(&mut self, handler: usize, caught: Caught) {
        self.failures.push((handler, HandlerFailure::new(self.dispatch.handlers()[handler], caught)));
    }

    /// Drops the unfinished handlers and reports.
    #[cold]
    fn stop(&mut self, mut slots: Pin<&mut Slots<'a>>) -> PublishError {
        let mut cancelled = Vec::new();
        for index in 0..self.used {
            let slot = slots.as_mut().slot(index);
            let Some(handler) = slot.handler() else { continue };
            match slot.clear() {
                Ok(()) => cancelled.push(self.dispatch.handlers()[handler]),
                Err(panic) => self.fail(handler, Err(panic)),
            }
        }
        self.failures.sort_by_key(|(handler, _)| *handler);
        PublishError::new(PublishErrorKind::Handlers, self.dispatch.event())
            .with_failures(self.failures.drain(..).map(|(_, failure)| failure))
            .with_cancelled(cancelled)
    }
}
