//! Tests of what is unsafe in the engine; the behaviour is tested in `tests/`.

use std::any::TypeId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::slice::from_ref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use super::lent::Lender;
use super::{
    CallPlan, Core, Dispatch, Entry, HandlerList, Instance, Link, Polled, Publish, Slot, Slots, StaticPlan, Strategy,
    Table, Watch, WeakCore,
};
use crate::registry::registration::ReadyMade;
use crate::{DynNotification, EventHandler, Notification, PublishError};

struct Placed(String);

impl Notification for Placed {}

/// Counts what becomes of its futures, which hold `SIZE` bytes.
#[derive(Default)]
struct Counts<const SIZE: usize> {
    polls: AtomicUsize,
    drops: AtomicUsize,
}

struct CountDrop<'a>(&'a AtomicUsize);

impl Drop for CountDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<const SIZE: usize> EventHandler<Placed> for Counts<SIZE> {
    async fn handle(&self, event: &Placed) -> Result<(), String> {
        let _drop = CountDrop(&self.drops);
        let bytes = [1_u8; SIZE];
        // Points into the future itself, as locals borrowed over an `.await` do.
        let sum = bytes.iter();
        let wait = event.0.len();
        std::future::poll_fn(|_| match self.polls.fetch_add(1, Ordering::Relaxed) < wait {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        assert_eq!(sum.map(|byte| usize::from(*byte)).sum::<usize>(), SIZE);
        match event.0.as_str() {
            "panic" => panic!("told to"),
            "fail" => Err(event.0.clone()),
            _ => Ok(()),
        }
    }
}

fn entry<const SIZE: usize>(handler: &Arc<Counts<SIZE>>) -> Entry {
    let plan = CallPlan::of(&StaticPlan::of_type::<Placed, Counts<SIZE>>());
    let info = ReadyMade::new::<Placed, _>(handler.clone()).registration.info();
    Entry { plan, instance: handler.clone() as Instance, info, around: Vec::new() }
}

fn core_of(strategy: Strategy, entries: Vec<Entry>) -> Arc<Core> {
    Arc::new_cyclic(|core| Core {
        table: Table::new([HandlerList::new(Some(TypeId::of::<Placed>()), strategy, &[], entries)]),
        requests: Table::new([]),
        #[cfg(feature = "durable")]
        durable: super::Durable::default(),
        weak: Arc::new(WeakCore { core: core.clone(), topology: OnceLock::new() }),
        watch: Watch::new(),
    })
}

fn core<const SIZE: usize>(handlers: &[Arc<Counts<SIZE>>]) -> Arc<Core> {
    core_of(Strategy::InOrder, handlers.iter().map(entry).collect())
}

fn dispatch<'a, E: Notification>(core: &'a Core, event: &'a E) -> Option<Dispatch<'a>> {
    Dispatch::find(core, event, Lender::Nobody, false, &None)
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn to_the_end<const SIZE: usize>() {
    let handler = Arc::new(Counts::<SIZE>::default());
    let (core, event) = (core(from_ref(&handler)), Placed("ab".into()));
    let dispatch = dispatch(&core, &event).unwrap();
    let mut slot = pin!(Slot::empty());
    assert!(dispatch.start(0, slot.as_mut(), &mut cx()).is_pending());
    assert_eq!(slot.handler(), Some(0));
    assert!(slot.as_mut().poll(&mut cx()).unwrap().is_pending());
    assert!(matches!(slot.as_mut().poll(&mut cx()), Some(Polled::Done)));
    assert!(slot.as_mut().poll(&mut cx()).is_none());
    assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
}

#[test]
fn a_future_in_place_runs_to_its_end() {
    to_the_end::<8>();
}

#[test]
fn a_boxed_future_runs_to_its_end() {
    to_the_end::<1000>();
}

#[test]
fn an_error_comes_out_of_the_slot() {
    let handler = Arc::new(Counts::<8>::default());
    let (core, event) = (core(from_ref(&handler)), Placed("fail".into()));
    let dispatch = dispatch(&core, &event).unwrap();
    let mut slot = pin!(Slot::empty());
    handler.polls.store(9, Ordering::Relaxed);
    let polled = dispatch.start(0, slot.as_mut(), &mut cx());
    assert!(matches!(polled, Polled::Failed(error) if error.to_string() == "fail"));
}

fn cancelled<const SIZE: usize>(cancel: impl FnOnce(Pin<&mut Slot<'_>>)) {
    let handler = Arc::new(Counts::<SIZE>::default());
    {
        let (core, event) = (core(from_ref(&handler)), Placed("ab".into()));
        let dispatch = dispatch(&core, &event).unwrap();
        let mut slot = pin!(Slot::empty());
        assert!(dispatch.start(0, slot.as_mut(), &mut cx()).is_pending());
        cancel(slot);
    }
    assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
}

#[test]
fn a_cleared_or_dropped_slot_drops_its_future_once() {
    cancelled::<8>(|slot| slot.clear().unwrap());
    cancelled::<8>(|_| {});
    cancelled::<1000>(|slot| slot.clear().unwrap());
    cancelled::<1000>(|_| {});
}

#[test]
fn a_future_that_panics_is_dropped_and_leaves_the_slot_empty() {
    let handler = Arc::new(Counts::<8>::default());
    let (core, event) = (core(from_ref(&handler)), Placed("panic".into()));
    let dispatch = dispatch(&core, &event).unwrap();
    let mut slot = pin!(Slot::empty());
    assert!(dispatch.start(0, slot.as_mut(), &mut cx()).is_pending());
    handler.polls.store(9, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| slot.as_mut().poll(&mut cx()))).is_err());
    assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
    assert!(slot.as_mut().poll(&mut cx()).is_none());
}

#[test]
#[should_panic = "one future at a time"]
fn a_slot_in_use_takes_no_second_future() {
    let handler = Arc::new(Counts::<8>::default());
    let (core, event) = (core(&[handler.clone(), handler]), Placed("ab".into()));
    let dispatch = dispatch(&core, &event).unwrap();
    let mut slot = pin!(Slot::empty());
    let _ = dispatch.start(0, slot.as_mut(), &mut cx());
    let _ = dispatch.start(1, slot.as_mut(), &mut cx());
}

#[test]
fn slots_keep_many_futures_where_they_are() {
    let handlers: Vec<_> = (0..5).map(|_| Arc::new(Counts::<8>::default())).collect();
    let (core, event) = (core(&handlers), Placed("a".into()));
    let dispatch = dispatch(&core, &event).unwrap();
    let mut slots = pin!(Slots::empty());
    for index in 0..dispatch.len() {
        if index == slots.len() {
            slots.as_mut().extend(dispatch.len() - index);
        }
        assert!(dispatch.start(index, slots.as_mut().slot(index), &mut cx()).is_pending());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| slots.as_mut().extend(1))).is_err());
    for index in 0..4 {
        let polled = slots.as_mut().slot(index).poll(&mut cx());
        assert!(matches!(polled, Some(Polled::Done)));
    }
    assert_eq!(slots.as_mut().slot(4).handler(), Some(4));
}

#[test]
fn an_event_nobody_handles_has_no_handlers() {
    struct Other;
    impl Notification for Other {}
    let core = core(&[Arc::new(Counts::<8>::default())]);
    assert!(dispatch(&core, &Other).is_none());
    assert_eq!(dispatch(&core, &Placed(String::new())).unwrap().len(), 1);
}

/// A mediator of handlers that hold 8 bytes, and others that hold 1,000.
struct Mediator {
    small: Vec<Arc<Counts<8>>>,
    large: Arc<Counts<1000>>,
    core: Arc<Core>,
}

fn mediator(strategy: Strategy) -> Mediator {
    let small: Vec<_> = (0..3).map(|_| Arc::new(Counts::default())).collect();
    let large = Arc::new(Counts::default());
    let entries = small.iter().map(entry).chain([entry(&large)]).collect();
    Mediator { core: core_of(strategy, entries), small, large }
}

impl Mediator {
    /// How many futures were dropped.
    fn drops(&self) -> usize {
        let small = self.small.iter().map(|handler| handler.drops.load(Ordering::Relaxed));
        small.sum::<usize>() + self.large.drops.load(Ordering::Relaxed)
    }
}

/// Polls to the end; says how often.
fn run<P: Future>(publish: P) -> (P::Output, usize) {
    let mut publish = pin!(publish);
    for polls in 1.. {
        if let Poll::Ready(output) = publish.as_mut().poll(&mut cx()) {
            return (output, polls);
        }
    }
    unreachable!("polled without end")
}

fn strategies() -> [Strategy; 2] {
    [Strategy::InOrder, Strategy::AtOnce { stop_on_failure: true }]
}

#[test]
fn a_publish_runs_its_handlers_to_their_end() {
    for (strategy, polls) in strategies().into_iter().zip([9, 3]) {
        let mediator = mediator(strategy);
        let link = Link::strong(mediator.core.clone());
        let (published, polled) = run(Publish::new(&link, Placed("ab".into())));
        assert!(published.is_ok());
        assert_eq!((polled, mediator.drops()), (polls, 4));
        let boxed: Box<dyn DynNotification> = Box::new(Placed(String::new()));
        assert_eq!(run(Publish::new(&link, boxed)).1, 1);
    }
}

#[test]
fn a_failure_or_panic_ends_a_publish_and_drops_each_future_once() {
    for outcome in ["fail", "panic"] {
        for waits in [false, true] {
            let mediator = mediator(Strategy::InOrder);
            if !waits {
                mediator.small[0].polls.store(9, Ordering::Relaxed);
            }
            let link = Link::strong(mediator.core.clone());
            let (published, polls) = run(Publish::new(&link, Placed(outcome.into())));
            assert_eq!(polls > 1, waits);
            let error = published.unwrap_err();
            assert_eq!((error.failures().len(), error.not_run().len()), (1, 3));
            assert_eq!(mediator.drops(), 1);
        }
    }
}

#[test]
fn a_cancelled_publish_drops_what_is_pending_and_then_the_event() {
    for (strategy, pending) in strategies().into_iter().zip([1, 4]) {
        let mediator = mediator(strategy);
        let link = Link::strong(mediator.core.clone());
        let mut publish = Box::pin(Publish::new(&link, Placed("ab".into())));
        assert!(publish.as_mut().poll(&mut cx()).is_pending());
        drop(publish);
        assert_eq!(mediator.drops(), pending);
    }
}

#[test]
fn a_publish_keeps_the_mediator_that_its_handle_does_not() {
    for strategy in strategies() {
        let Mediator { small, large, core } = mediator(strategy);
        let link = Link::weak(core.weak.clone());
        let mut publish = Box::pin(Publish::new(&link, Placed("ab".into())));
        assert!(publish.as_mut().poll(&mut cx()).is_pending());
        drop((small, large, core));
        assert!(run(publish.as_mut()).0.is_ok());
        drop(publish);
        let error: PublishError = run(Publish::new(&link, Placed("back".into()))).0.unwrap_err();
        assert_eq!(error.unpublished()[0].downcast_ref::<Placed>().unwrap().0, "back");
    }
}

#[test]
#[should_panic = "polled again after it had ended"]
fn an_ended_publish_is_not_polled_again() {
    let mediator = mediator(Strategy::InOrder);
    let link = Link::strong(mediator.core.clone());
    let mut publish = pin!(Publish::new(&link, Placed(String::new())));
    assert!(publish.as_mut().poll(&mut cx()).is_ready());
    let _ = publish.as_mut().poll(&mut cx());
}

/// Compiles only if a publish, once polled, cannot be moved.
#[test]
fn a_publish_is_not_unpin() {
    trait Ambiguous<Case> {
        fn check() {}
    }
    struct IfUnpin;
    impl<P> Ambiguous<()> for P {}
    impl<P: Unpin> Ambiguous<IfUnpin> for P {}
    <Publish<'_, Placed> as Ambiguous<_>>::check();
}

#[test]
fn the_base_of_a_scope_is_the_link_of_a_handle_however_deep_it_is_nested() {
    let link = Link::strong(core(&[Arc::new(Counts::<8>::default())]));
    // SAFETY: each outlives the next one.
    let outer = unsafe { link.scoped() };
    // SAFETY: each outlives the next one.
    let inner = unsafe { outer.scoped() };
    assert!(std::ptr::eq(inner.base(), &link) && std::ptr::eq(outer.base(), &link) && std::ptr::eq(link.base(), &link));
}
