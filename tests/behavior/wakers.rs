//! What wakes a publish, and whom it wakes: the handlers' own wakers of a group that stays pending.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Duration;

use mediator_core::prelude::*;
use mediator_tests::bind_tens;

#[event]
struct OrderPlaced {}

/// A group of forty handlers: more than are polled at every wake.
macro_rules! group_of_forty {
    ($handler:ident($value:expr)) => {
        bind_tens!(Mediator::builder().without_discovery(), OrderPlaced, $handler($value), 0 1 2 3)
            .event_publisher(GroupEventPublisher)
            .build()
            .unwrap()
    };
}

/// How often is published, and how often a handler is woken at least. Miri takes milliseconds for a wake.
const PUBLISHES: usize = if cfg!(miri) { 2 } else { 20 };
const WAKES: usize = if cfg!(miri) { 2 } else { 100 };

/// Waits for many wakes, each from another thread.
struct WokenElsewhere<const NUMBER: usize>(Sender<Waker>);

impl<const NUMBER: usize> EventHandler<OrderPlaced> for WokenElsewhere<NUMBER> {
    async fn handle(&self, _event: &OrderPlaced) {
        // Some finish early, so that gaps are passed over.
        for _ in 0..WAKES * (1 + NUMBER % 3) {
            let mut sent = false;
            poll_fn(|cx| {
                if sent {
                    return Poll::Ready(());
                }
                sent = true;
                self.0.send(cx.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
        }
    }
}

fn wake_all(wakers: &Mutex<Receiver<Waker>>) {
    loop {
        let next = wakers.lock().unwrap().recv();
        match next {
            Ok(waker) => waker.wake(),
            Err(_) => return,
        }
    }
}

/// A wake comes while other handlers are polled, right before a pass or right after it.
#[test]
fn handlers_that_are_woken_from_other_threads_all_finish() {
    let (send, receive) = mpsc::channel();
    let receive = Arc::new(Mutex::new(receive));
    for _ in 0..3 {
        let receive = receive.clone();
        thread::spawn(move || wake_all(&receive));
    }
    let mediator = group_of_forty!(WokenElsewhere(send.clone()));
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..PUBLISHES {
            futures::executor::block_on(mediator.publish(OrderPlaced::new())).unwrap();
        }
        done.send(()).unwrap();
    });
    // Takes no time to speak of, but a lost wake would take forever.
    finished.recv_timeout(Duration::from_secs(300)).expect("no wake is lost");
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Gate {
    open: AtomicBool,
    /// The wakers of the last polls, in no order.
    wakers: Mutex<Vec<Waker>>,
}

/// Waits for the gate to open.
struct AtGate<const NUMBER: usize>(Arc<Gate>);

impl<const NUMBER: usize> EventHandler<OrderPlaced> for AtGate<NUMBER> {
    async fn handle(&self, _event: &OrderPlaced) {
        poll_fn(|cx| {
            if self.0.open.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            self.0.wakers.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Polls until the handlers have wakers of their own, which it returns.
fn poll_until_own_wakers(publish: &mut (impl Future + Unpin), gate: &Gate, task: &Waker) -> Vec<Waker> {
    for _ in 0..100 {
        gate.wakers.lock().unwrap().clear();
        assert!(pin!(&mut *publish).poll(&mut Context::from_waker(task)).is_pending());
        let wakers = gate.wakers.lock().unwrap();
        // Not by `will_wake`, which may take two clones of one waker for different ones, as it does under Miri.
        if wakers.iter().all(|waker| waker.data() != task.data()) {
            return wakers.clone();
        }
    }
    panic!("the handlers share the waker of the task");
}

#[test]
fn a_wake_is_for_the_task_that_polled_last() {
    let gate = Arc::<Gate>::default();
    let mediator = group_of_forty!(AtGate(gate.clone()));
    let mut publish = Box::pin(mediator.publish(OrderPlaced::new()));
    let (first, second) = (Arc::<Task>::default(), Arc::<Task>::default());
    let wakers = poll_until_own_wakers(&mut publish, &gate, &first.clone().into());
    wakers[7].wake_by_ref();
    assert_eq!((first.woken(), second.woken()), (1, 0));
    assert!(publish.as_mut().poll(&mut Context::from_waker(&second.clone().into())).is_pending());
    wakers[7].wake_by_ref();
    assert_eq!((first.woken(), second.woken()), (1, 1));
    gate.open.store(true, Ordering::Relaxed);
    wakers.iter().for_each(Waker::wake_by_ref);
    assert!(publish.as_mut().poll(&mut Context::from_waker(&second.into())).is_ready());
}

#[test]
fn only_the_handler_that_was_woken_is_polled() {
    let gate = Arc::<Gate>::default();
    let mediator = group_of_forty!(AtGate(gate.clone()));
    let mut publish = Box::pin(mediator.publish(OrderPlaced::new()));
    let task = Waker::from(Arc::<Task>::default());
    let wakers = poll_until_own_wakers(&mut publish, &gate, &task);
    gate.wakers.lock().unwrap().clear();
    wakers[33].wake_by_ref();
    assert!(publish.as_mut().poll(&mut Context::from_waker(&task)).is_pending());
    let polled = gate.wakers.lock().unwrap();
    assert_eq!(polled.len(), 1);
    assert_eq!(polled[0].data(), wakers[33].data());
}

#[test]
fn a_waker_that_outlives_its_publish_wakes_nobody() {
    let gate = Arc::<Gate>::default();
    let mediator = group_of_forty!(AtGate(gate.clone()));
    let mut publish = Box::pin(mediator.publish(OrderPlaced::new()));
    let task = Arc::<Task>::default();
    let wakers = poll_until_own_wakers(&mut publish, &gate, &task.clone().into());
    drop(publish);
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!(task.woken(), 0);
}

/// A waker whose clones and drops wake the group, as a waker may that does more than to count references.
struct Meddling {
    group: Mutex<Vec<Waker>>,
}

/// The functions of a [`Meddling`] waker, each with a reference to it that is kept alive by the test.
static MEDDLING: RawWakerVTable = RawWakerVTable::new(
    |data| {
        wake_group(data);
        RawWaker::new(data, &MEDDLING)
    },
    wake_group,
    wake_group,
    wake_group,
);

#[expect(unsafe_code, reason = "a waker with functions of one's own is unsafe to make")]
fn wake_group(data: *const ()) {
    // SAFETY: the test keeps it alive for longer than the wakers.
    let meddling = unsafe { &*data.cast::<Meddling>() };
    // Not under this lock, or it would be this test that deadlocks.
    let group = std::mem::take(&mut *meddling.group.lock().unwrap());
    group.iter().for_each(Waker::wake_by_ref);
    meddling.group.lock().unwrap().extend(group);
}

#[expect(unsafe_code, reason = "a waker with functions of one's own is unsafe to make")]
#[test]
fn a_waker_that_wakes_while_it_is_cloned_or_dropped_does_no_harm() {
    // Dropped last, since the gate keeps clones of its waker.
    let meddling = Meddling { group: Mutex::default() };
    let gate = Arc::<Gate>::default();
    let mediator = group_of_forty!(AtGate(gate.clone()));
    {
        let mut publish = Box::pin(mediator.publish(OrderPlaced::new()));
        let task = Waker::from(Arc::<Task>::default());
        *meddling.group.lock().unwrap() = poll_until_own_wakers(&mut publish, &gate, &task);
        // SAFETY: `meddling` outlives the publish and the gate, and with them all clones of the waker; the functions may be called on any thread.
        let foreign = unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(&meddling).cast(), &MEDDLING)) };
        for _ in 0..3 {
            assert!(publish.as_mut().poll(&mut Context::from_waker(&foreign)).is_pending());
            assert!(publish.as_mut().poll(&mut Context::from_waker(&task)).is_pending());
        }
        gate.open.store(true, Ordering::Relaxed);
        meddling.group.lock().unwrap().clone().iter().for_each(Waker::wake_by_ref);
        assert!(publish.as_mut().poll(&mut Context::from_waker(&foreign)).is_ready());
    }
}
