//! Events, handlers and futures of sizes and alignments that put the storage of futures to the test.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::executor::block_on;
use mediator_core::HandlerFuture;
use mediator_core::prelude::*;
use mediator_tests::{BestEffort, pending};

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(256))]
struct Aligned(u64);

impl Aligned {
    /// The value, if `self` is where its type may be.
    fn checked(&self) -> u64 {
        assert_eq!(std::ptr::from_ref(self).addr() % 256, 0);
        self.0
    }
}

#[derive(Notification)]
struct Tick(Aligned);

#[derive(Notification)]
struct Zero;

/// Publishes with every strategy and counts the handlers that came to their end.
fn finished<E: Notification>(build: impl Fn(Arc<AtomicUsize>) -> Mediator, event: impl Fn() -> E) -> usize {
    let finished = Arc::new(AtomicUsize::new(0));
    let mediator = build(finished.clone());
    block_on(async {
        mediator.publish(event()).await?;
        mediator.publish_all(vec![Box::new(event())]).await?;
        mediator.publish_with(&GroupEventPublisher, event()).await?;
        mediator.publish_with(&BestEffort, event()).await
    })
    .unwrap();
    finished.load(Ordering::Relaxed)
}

struct OverAligned(Aligned, Arc<AtomicUsize>);

impl EventHandler<Tick> for OverAligned {
    async fn handle(&self, event: &Tick) {
        // Kept across the await, so the future is aligned like this as well.
        let local = black_box(Aligned(self.0.checked() + event.0.checked()));
        pending(2).await;
        assert_eq!(local.checked(), 3);
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn over_aligned_events_handlers_and_futures_are_where_they_may_be() {
    let build = |finished| {
        let handler = OverAligned(Aligned(1), finished);
        Mediator::builder().without_discovery().bind_handler::<Tick, _>(handler).build().unwrap()
    };
    assert_eq!(finished(build, || Tick(Aligned(2))), 4);
}

static OF_NOTHING: AtomicUsize = AtomicUsize::new(0);

struct OfNothing;

impl EventHandler<Zero> for OfNothing {
    async fn handle(&self, _event: &Zero) {
        OF_NOTHING.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future without a size, which is pending once all the same.
struct NoSize;

static POLLED: AtomicBool = AtomicBool::new(false);

impl Future for NoSize {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        cx.waker().wake_by_ref();
        if !POLLED.fetch_not(Ordering::Relaxed) {
            std::task::Poll::Pending
        } else {
            OF_NOTHING.fetch_add(1, Ordering::Relaxed);
            std::task::Poll::Ready(())
        }
    }
}

struct OfNothingInTheFuture;

impl EventHandler<Zero> for OfNothingInTheFuture {
    fn handle(&self, _event: &Zero) -> impl HandlerFuture {
        NoSize
    }
}

#[test]
fn events_handlers_and_futures_may_have_no_size() {
    let build = |_| {
        Mediator::builder()
            .without_discovery()
            .bind_handler::<Zero, _>(OfNothing)
            .bind_handler::<Zero, _>(OfNothingInTheFuture)
            .build()
            .unwrap()
    };
    finished(build, || Zero);
    assert_eq!(OF_NOTHING.load(Ordering::Relaxed), 8);
}

/// Its future keeps `N` bytes across an await, and borrows from itself.
struct Keeps<const N: usize>(Arc<AtomicUsize>);

impl<const N: usize> EventHandler<Zero> for Keeps<N> {
    async fn handle(&self, _event: &Zero) {
        let mut bytes = [0_u8; N];
        let all = &mut bytes;
        for round in 1..=3 {
            pending(1).await;
            all.fill(round);
            black_box(&*all);
        }
        pending(1).await;
        assert!(bytes.iter().all(|&byte| byte == 3));
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Far beyond the size up to which a future stays in place.
const LARGE: usize = if cfg!(miri) { 1_000 } else { 100_000 };

#[test]
fn futures_of_all_sizes_may_borrow_from_themselves() {
    let build = |finished: Arc<AtomicUsize>| {
        // Around that size, and far beyond it.
        Mediator::builder()
            .without_discovery()
            .bind_handler::<Zero, _>(Keeps::<1>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<40>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<56>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<64>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<72>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<80>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<88>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<96>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<128>(finished.clone()))
            .bind_handler::<Zero, _>(Keeps::<LARGE>(finished))
            .build()
            .unwrap()
    };
    assert_eq!(finished(build, || Zero), 40);
}
