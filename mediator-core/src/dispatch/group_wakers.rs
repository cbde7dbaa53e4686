//! The wakers of a large group's handlers.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// The wakers of a large group's handlers.
pub(super) struct Wakes {
    ready: Arc<Ready>,
    /// One for each slot.
    wakers: Box<[Waker]>,
}

impl Wakes {
    pub(super) fn new(slots: usize, task: &Waker) -> Self {
        let ready = Arc::new(Ready::new(slots, task));
        let waker = |slot| Waker::from(Arc::new(SlotWaker { ready: ready.clone(), slot }));
        Self { wakers: (0..slots).map(waker).collect(), ready }
    }

    pub(super) fn context(&self, slot: usize) -> Context<'_> {
        Context::from_waker(&self.wakers[slot])
    }

    /// The task that polls the group from now on.
    pub(super) fn set_task(&self, task: &Waker) {
        drop(self.ready.replace_task(Some(task.clone())));
    }

    /// Takes the slots that were woken, in order.
    pub(super) fn drain(&self, woken: impl FnMut(usize)) {
        self.ready.drain(woken);
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        // Wakers can outlive the publish; they must not wake its task then.
        drop(self.ready.replace_task(None));
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
    /// The task that polls the group; taken out by who wakes it, until it polls again. The functions of a foreign waker, which
    /// may wake in turn, never run under the lock.
    task: Mutex<Option<Waker>>,
}

impl Ready {
    fn new(slots: usize, task: &Waker) -> Self {
        let zeros = |bits: usize| (0..bits.div_ceil(64)).map(|_| AtomicU64::new(0)).collect::<Box<[_]>>();
        let words = zeros(slots);
        Self { summary: zeros(words.len()), slots: words, task: Mutex::new(Some(task.clone())) }
    }

    fn wake(&self, slot: usize) {
        let set = |bits: &[AtomicU64], bit: usize| bits[bit / 64].fetch_or(1 << (bit % 64), Ordering::AcqRel);
        set(&self.slots, slot);
        set(&self.summary, slot / 64);
        let task = self.replace_task(None);
        if let Some(task) = task {
            task.wake();
        }
    }

    fn replace_task(&self, task: Option<Waker>) -> Option<Waker> {
        mem::replace(&mut *self.task.lock().unwrap_or_else(PoisonError::into_inner), task)
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
