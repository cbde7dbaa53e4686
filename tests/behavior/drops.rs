//! Futures, events and errors are dropped exactly once, however a publish ends.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, Waker};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{Deliveries, HandlerFuture};
use mediator_tests::{BestEffort, On, pending, some};

/// How often each thing that was made has been dropped.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<(&'static str, usize)>>>);

impl Ledger {
    fn entry(&self, what: &'static str) -> Entry {
        let mut drops = self.0.lock().unwrap();
        drops.push((what, 0));
        Entry { ledger: self.clone(), number: drops.len() - 1 }
    }

    fn assert_each_dropped_once(&self, case: &impl fmt::Debug) {
        let drops = self.0.lock().unwrap();
        for (what, count) in &*drops {
            assert_eq!(*count, 1, "drops of a {what}: {case:?}");
        }
        assert!(!drops.is_empty());
    }
}

struct Entry {
    ledger: Ledger,
    number: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.0.lock().unwrap()[self.number].1 += 1;
    }
}

/// An error, a panic's payload, or what a future holds that must not be dropped unfinished.
struct Bomb(#[expect(dead_code, reason = "only dropped")] Entry);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

struct Failed(#[expect(dead_code, reason = "only dropped")] Entry);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed")
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

struct OrderPlaced {
    _entry: Entry,
}

impl Notification for OrderPlaced {}

#[derive(Clone, Copy, Debug)]
enum End {
    Ok,
    Error,
    Panic,
    /// With a payload that panics when it is dropped.
    PanicWithBomb,
    /// Never, and it panics when it is dropped.
    Bomb,
    Never,
}

#[derive(Clone, Copy, Debug)]
struct Behavior {
    waits: usize,
    end: End,
}

const BEHAVIORS: [Behavior; 11] = [
    Behavior { waits: 0, end: End::Ok },
    Behavior { waits: 1, end: End::Ok },
    Behavior { waits: 2, end: End::Ok },
    Behavior { waits: 0, end: End::Error },
    Behavior { waits: 1, end: End::Error },
    Behavior { waits: 0, end: End::Panic },
    Behavior { waits: 1, end: End::Panic },
    Behavior { waits: 0, end: End::PanicWithBomb },
    Behavior { waits: 1, end: End::PanicWithBomb },
    Behavior { waits: 0, end: End::Bomb },
    Behavior { waits: 0, end: End::Never },
];

/// `LARGE` futures do not fit the storage in place.
struct Handler<const NUMBER: usize, const LARGE: bool> {
    behavior: Behavior,
    ledger: Ledger,
}

impl<const NUMBER: usize, const LARGE: bool> EventHandler<OrderPlaced> for Handler<NUMBER, LARGE> {
    async fn handle(&self, _event: &OrderPlaced) -> Result<(), Failed> {
        let _future = self.ledger.entry("future");
        let ballast = [0_u8; 1024];
        if LARGE {
            pending(self.behavior.waits).await;
            std::hint::black_box(&ballast);
        } else {
            pending(self.behavior.waits).await;
        }
        match self.behavior.end {
            End::Ok => Ok(()),
            End::Error => Err(Failed(self.ledger.entry("error"))),
            End::Panic => panic!("failed"),
            End::PanicWithBomb => panic_any(Bomb(self.ledger.entry("payload"))),
            End::Bomb => {
                let _bomb = Bomb(self.ledger.entry("bomb"));
                std::future::pending().await
            }
            End::Never => std::future::pending().await,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Strategy {
    Sequential,
    Group,
    Own,
}

fn mediator<const LARGE: bool>(strategy: Strategy, behaviors: [Behavior; 3], ledger: &Ledger) -> Mediator {
    let builder = Mediator::builder()
        .without_discovery()
        .bind_handler::<OrderPlaced, _>(Handler::<0, LARGE> { behavior: behaviors[0], ledger: ledger.clone() })
        .bind_handler::<OrderPlaced, _>(Handler::<1, LARGE> { behavior: behaviors[1], ledger: ledger.clone() })
        .bind_handler::<OrderPlaced, _>(Handler::<2, LARGE> { behavior: behaviors[2], ledger: ledger.clone() });
    let builder = match strategy {
        Strategy::Sequential => builder.event_publisher(SequentialEventPublisher),
        Strategy::Group => builder.event_publisher(GroupEventPublisher),
        Strategy::Own => builder.event_publisher(BestEffort),
    };
    builder.build().unwrap()
}

/// Publishes, polls at most so often, and drops everything. No panic may come out.
fn run<const LARGE: bool>(strategy: Strategy, behaviors: [Behavior; 3], polls: usize) {
    let case = (strategy, behaviors, polls, LARGE);
    let ledger = Ledger::default();
    QUIET.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mediator = mediator::<LARGE>(strategy, behaviors, &ledger);
        let mut publish = pin!(mediator.publish(OrderPlaced { _entry: ledger.entry("event") }));
        let mut cx = Context::from_waker(Waker::noop());
        let mut result = Poll::Pending;
        for _ in 0..polls {
            result = publish.as_mut().poll(&mut cx);
            if result.is_ready() {
                break;
            }
        }
        drop(result);
    }));
    QUIET.set(false);
    assert!(ran.is_ok(), "a panic came out: {case:?}");
    ledger.assert_each_dropped_once(&case);
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Thousands of panics are what is tested; their messages tell nothing.
fn keep_quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                print(info);
            }
        }));
    });
}

fn every_case<const LARGE: bool>() {
    keep_quiet();
    for strategy in [Strategy::Sequential, Strategy::Group, Strategy::Own] {
        for first in some(&BEHAVIORS) {
            for second in some(&BEHAVIORS) {
                for third in some(&BEHAVIORS) {
                    for polls in some(&[1, 0, 2, 9]) {
                        run::<LARGE>(strategy, [first, second, third], polls);
                    }
                }
            }
        }
    }
}

#[test]
fn everything_is_dropped_once_with_futures_in_place() {
    every_case::<false>();
}

#[test]
fn everything_is_dropped_once_with_boxed_futures() {
    every_case::<true>();
}

#[test]
fn everything_is_dropped_once_though_the_event_panics_when_asked_for_its_id() {
    struct Nameless {
        _entry: Entry,
    }

    impl Notification for Nameless {
        fn notification_id(&self) -> Option<EventId> {
            panic!("asked for the id");
        }
    }

    keep_quiet();
    for group in [false, true] {
        let ledger = Ledger::default();
        let (handler, made) = (ledger.entry("handler"), ledger.clone());
        let builder = Mediator::builder().without_discovery().bind_handler::<Nameless, _>(On(move |_: &Nameless| {
            let (_handler, error) = (&handler, Failed(made.entry("error")));
            async { Err::<(), _>(error) }
        }));
        let mediator = match group {
            true => builder.event_publisher(GroupEventPublisher).build().unwrap(),
            false => builder.build().unwrap(),
        };
        let publisher = mediator.publisher().downgrade();
        QUIET.set(true);
        let publish = publisher.publish(Nameless { _entry: ledger.entry("event") });
        let ran = catch_unwind(AssertUnwindSafe(|| block_on(publish)));
        QUIET.set(false);
        assert_eq!(*ran.unwrap_err().downcast::<&str>().unwrap(), "asked for the id");
        drop(mediator);
        ledger.assert_each_dropped_once(&group);
    }
}

/// What panics while it is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fragile {
    Event,
    Handler,
    HandlersFuture,
    StrategysFuture,
}

/// Panics when it is dropped, if it is what is `fragile` in this case.
struct Part {
    _entry: Entry,
    fragile: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.fragile {
            panic!("dropped");
        }
    }
}

#[derive(Clone)]
struct Parts {
    ledger: Ledger,
    fragile: Fragile,
}

impl Parts {
    fn part(&self, part: Fragile) -> Part {
        Part { _entry: self.ledger.entry("part"), fragile: part == self.fragile }
    }
}

struct Parcel(#[expect(dead_code, reason = "only dropped")] Part);

impl Notification for Parcel {}

struct Carrier {
    _part: Part,
    parts: Parts,
    behavior: Behavior,
}

impl EventHandler<Parcel> for Carrier {
    fn handle(&self, _event: &Parcel) -> impl HandlerFuture {
        let (ledger, Behavior { waits, end }) = (self.parts.ledger.clone(), self.behavior);
        let inner = Box::pin(async move {
            pending(waits).await;
            match end {
                End::Error => Err(Failed(ledger.entry("error"))),
                _ => Ok(()),
            }
        });
        With { inner, _part: self.parts.part(Fragile::HandlersFuture) }
    }
}

/// `BestEffort`, with a part in its future.
struct Careless(Parts);

impl EventPublisher for Careless {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        With { inner: Box::pin(BestEffort.publish(deliveries)), _part: self.0.part(Fragile::StrategysFuture) }
    }
}

/// A future whose part is dropped after it was ready, as locals of `async` functions never are.
struct With<F> {
    inner: Pin<Box<F>>,
    _part: Part,
}

impl<F: Future> Future for With<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.inner.as_mut().poll(cx)
    }
}

/// Publishes, polls at most so often, and drops everything, the mediator before the last poll.
fn run_fragile(strategy: Strategy, behavior: Behavior, fragile: Fragile, polls: usize) {
    let ledger = Ledger::default();
    let parts = Parts { ledger: ledger.clone(), fragile };
    let carrier = Carrier { _part: parts.part(Fragile::Handler), parts: parts.clone(), behavior };
    let builder = Mediator::builder().without_discovery().bind_handler::<Parcel, _>(carrier);
    let builder = match strategy {
        Strategy::Sequential => builder,
        Strategy::Group => builder.event_publisher(GroupEventPublisher),
        Strategy::Own => builder.event_publisher(Careless(parts.clone())),
    };
    let mediator = builder.build().unwrap();
    let publisher = mediator.publisher().downgrade();
    let mut mediator = Some(mediator);
    let caught = |run: &mut dyn FnMut()| drop(catch_unwind(AssertUnwindSafe(run)));
    QUIET.set(true);
    let mut publish = Some(Box::pin(publisher.publish(Parcel(parts.part(Fragile::Event)))));
    let mut cx = Context::from_waker(Waker::noop());
    for poll in 1..=polls {
        let mut polled = Poll::Pending;
        caught(&mut || polled = publish.as_mut().unwrap().as_mut().poll(&mut cx));
        if polled.is_ready() {
            break;
        }
        if poll + 1 == polls {
            caught(&mut || drop(mediator.take()));
        }
    }
    caught(&mut || drop(publish.take()));
    caught(&mut || drop(mediator.take()));
    QUIET.set(false);
    ledger.assert_each_dropped_once(&(strategy, behavior, fragile, polls));
}

const ENDINGS: [Behavior; 6] = [
    Behavior { waits: 0, end: End::Ok },
    Behavior { waits: 1, end: End::Ok },
    Behavior { waits: 2, end: End::Ok },
    Behavior { waits: 0, end: End::Error },
    Behavior { waits: 1, end: End::Error },
    Behavior { waits: 2, end: End::Error },
];

#[test]
fn everything_is_dropped_once_though_some_of_it_panics_while_it_is() {
    keep_quiet();
    for fragile in [Fragile::Event, Fragile::Handler, Fragile::HandlersFuture, Fragile::StrategysFuture] {
        for strategy in [Strategy::Sequential, Strategy::Group, Strategy::Own] {
            for behavior in some(&ENDINGS) {
                for polls in 0..4 {
                    run_fragile(strategy, behavior, fragile, polls);
                }
            }
        }
    }
}
