//! All handlers at once.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::dispatch::{Dispatch, Polled, Slot, Slots};
use crate::event_publisher::{Kind, Strategy};
use crate::publish_error::Caught;
use crate::{Deliveries, EventPublisher, HandlerFailure, PublishError};

/// Runs the handlers concurrently inside the publishing task; nothing is spawned.
///
/// Every handler is started, in order, even if an earlier one failed at once. Once one has failed
/// and the current pass over the handlers is done, the unfinished ones are dropped. Every failure
/// that happened is reported, in the order of the handlers; that includes a handler that panics
/// while it is dropped.
///
/// A publish allocates nothing as long as one handler at most is pending while others start, and
/// one block of memory for the futures of all further handlers otherwise. More than 8 handlers
/// that stay pending for several wakes get wakers of their own, one allocation each, so that a
/// wake costs the same however many others wait.
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
/// let mediator = builder.event_publisher(GroupEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.not_run().len(), 0);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupEventPublisher;

impl EventPublisher for GroupEventPublisher {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut slots = pin!(Slots::empty());
        let mut group = Group::new(deliveries.into_dispatch());
        poll_fn(|cx| group.poll(slots.as_mut(), cx)).await
    }

    fn into_strategy(self) -> Strategy {
        Strategy(Kind::Group)
    }
}

/// So many pending handlers are all polled at each wake: cheaper than finding out which to poll.
const SMALL: usize = 8;

/// So many passes over all handlers come before wakers of their own: making one costs about as much
/// as polling so often in vain.
const SHARED_PASSES: usize = 8;

/// A publish under way.
pub(crate) struct Group<'a> {
    dispatch: Dispatch<'a>,
    /// How many slots have been in use. The futures in them are in the order of the handlers, with
    /// gaps where they have finished.
    used: usize,
    /// How many still are.
    pending: usize,
    /// Passes made over all handlers.
    passes: usize,
    wakes: Option<Wakes>,
}

/// The failures of one pass, with the handlers' places in their list. Since a publish ends with the
/// pass in which a handler fails, there are no others.
type Failures = Vec<(usize, HandlerFailure)>;

impl<'a> Group<'a> {
    pub(crate) fn new(dispatch: Dispatch<'a>) -> Self {
        Self { dispatch, used: 0, pending: 0, passes: 0, wakes: None }
    }

    pub(crate) fn poll(
        &mut self,
        mut slots: Pin<&mut Slots<'a>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), PublishError>> {
        let failures = self.pass(slots.as_mut(), cx);
        if !failures.is_empty() {
            return Poll::Ready(Err(self.stop(slots, failures)));
        }
        if self.pending == 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Polls the handlers that may have something to do; the first pass starts all of them.
    fn pass(&mut self, mut slots: Pin<&mut Slots<'a>>, cx: &mut Context<'_>) -> Failures {
        let mut failures = Failures::new();
        if self.passes == 0 {
            self.start_all(slots, cx, &mut failures);
        } else if let Some(wakes) = self.wakes.take() {
            wakes.ready.set_task(cx.waker());
            wakes
                .ready
                .drain(|slot| self.poll_slot(slots.as_mut().slot(slot), &mut wakes.context(slot), &mut failures));
            self.wakes = Some(wakes);
            return failures;
        } else if self.passes < SHARED_PASSES || self.pending <= SMALL {
            (0..self.used).for_each(|slot| self.poll_slot(slots.as_mut().slot(slot), cx, &mut failures));
        } else {
            let wakes = Wakes::new(self.used, cx.waker());
            for slot in 0..self.used {
                self.poll_slot(slots.as_mut().slot(slot), &mut wakes.context(slot), &mut failures);
            }
            self.wakes = Some(wakes);
        }
        self.passes += 1;
        failures
    }

    fn start_all(&mut self, mut slots: Pin<&mut Slots<'a>>, cx: &mut Context<'_>, failures: &mut Failures) {
        let dispatch = self.dispatch;
        for handler in 0..dispatch.len() {
            if self.used == slots.len() {
                slots.as_mut().extend(dispatch.len() - handler);
            }
            let slot = slots.as_mut().slot(self.used);
            match catch_unwind(AssertUnwindSafe(|| dispatch.start(handler, slot, cx))) {
                Ok(Polled::Done) => {}
                Ok(Polled::Pending) => self.used += 1,
                Ok(Polled::Failed(error)) => self.fail(handler, Ok(error), failures),
                Err(panic) => self.fail(handler, Err(panic), failures),
            }
        }
        self.pending = self.used;
    }

    fn poll_slot(&mut self, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>, failures: &mut Failures) {
        let Some(handler) = slot.handler() else { return };
        match catch_unwind(AssertUnwindSafe(|| slot.poll(cx))) {
            Ok(None | Some(Polled::Pending)) => return,
            Ok(Some(Polled::Done)) => {}
            Ok(Some(Polled::Failed(error))) => self.fail(handler, Ok(error), failures),
            Err(panic) => self.fail(handler, Err(panic), failures),
        }
        self.pending -= 1;
    }

    #[cold]
    fn fail(&self, handler: usize, caught: Caught, failures: &mut Failures) {
        failures.push((handler, HandlerFailure::new(self.dispatch.handlers()[handler], caught)));
    }

    /// Drops the unfinished handlers and reports.
    #[cold]
    fn stop(&self, mut slots: Pin<&mut Slots<'a>>, mut failures: Failures) -> PublishError {
        let mut cancelled = Vec::new();
        for index in 0..self.used {
            let slot = slots.as_mut().slot(index);
            let Some(handler) = slot.handler() else { continue };
            match slot.clear() {
                Ok(()) => cancelled.push(self.dispatch.handlers()[handler]),
                Err(panic) => self.fail(handler, Err(panic), &mut failures),
            }
        }
        failures.sort_by_key(|(handler, _)| *handler);
        PublishError::new(self.dispatch.event())
            .with_failures(failures.into_iter().map(|(_, failure)| failure))
            .with_cancelled(cancelled)
    }
}

/// The wakers of a large group's handlers.
struct Wakes {
    ready: Arc<Ready>,
    /// One for each slot.
    wakers: Box<[Waker]>,
}

impl Wakes {
    fn new(slots: usize, task: &Waker) -> Self {
        let ready = Arc::new(Ready::new(slots, task));
        let waker = |slot| Waker::from(Arc::new(SlotWaker { ready: ready.clone(), slot }));
        Self { wakers: (0..slots).map(waker).collect(), ready }
    }

    fn context(&self, slot: usize) -> Context<'_> {
        Context::from_waker(&self.wakers[slot])
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        // Wakers can outlive the publish; its task then is none of their business.
        self.ready.set_task(Waker::noop());
    }
}

struct SlotWaker {
    ready: Arc<Ready>,
    slot: usize,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.wake(self.slot);
    }
}

/// Which slots were woken since they were polled.
struct Ready {
    /// A bit for each slot.
    slots: Box<[AtomicU64]>,
    /// A bit for each element of `slots` that is not zero, set after it.
    summary: Box<[AtomicU64]>,
    /// The task that polls the group.
    task: Mutex<Waker>,
}

impl Ready {
    fn new(slots: usize, task: &Waker) -> Self {
        let zeros = |bits: usize| (0..bits.div_ceil(64)).map(|_| AtomicU64::new(0)).collect::<Box<[_]>>();
        let words = zeros(slots);
        Self { summary: zeros(words.len()), slots: words, task: Mutex::new(task.clone()) }
    }

    fn wake(&self, slot: usize) {
        let set = |bits: &[AtomicU64], bit: usize| bits[bit / 64].fetch_or(1 << (bit % 64), Ordering::AcqRel);
        set(&self.slots, slot);
        set(&self.summary, slot / 64);
        // Woken outside the lock: an executor may poll the group right there.
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.wake();
    }

    fn set_task(&self, task: &Waker) {
        let mut current = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !current.will_wake(task) {
            let previous = std::mem::replace(&mut *current, task.clone());
            drop(current);
            drop(previous);
        }
    }

    /// Takes the slots that were woken, in order. One that is woken meanwhile is for the next time,
    /// and the task has been woken for it.
    fn drain(&self, mut woken: impl FnMut(usize)) {
        for (index, summary) in self.summary.iter().enumerate() {
            for word in ones(summary.swap(0, Ordering::AcqRel)) {
                let word = 64 * index + word;
                ones(self.slots[word].swap(0, Ordering::AcqRel)).for_each(|bit| woken(64 * word + bit));
            }
        }
    }
}

/// The positions of the bits that are set, lowest first.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        lowest
    })
}
