//! Prints what publishes and sends take, in nanoseconds, where nobody is interested in them. `./compare` runs it with and without
//! the features, in turns, and prints the ratios.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mediator_core::prelude::*;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

struct Placed(u64);

impl Notification for Placed {}

#[event]
struct Shipped {
    order: u64,
}

struct Handler<const NUMBER: usize>;

impl<const NUMBER: usize> EventHandler<Placed> for Handler<NUMBER> {
    async fn handle(&self, event: &Placed) {
        black_box(event.0);
    }
}

impl<const NUMBER: usize> EventHandler<Shipped> for Handler<NUMBER> {
    async fn handle(&self, event: &Shipped) {
        black_box(event.order);
    }
}

#[request(u64)]
struct Count(u64);

struct Counts;

impl RequestHandler<Count> for Counts {
    async fn handle(&self, request: &Count) -> u64 {
        black_box(request.0)
    }
}

struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {}

/// A subscriber that is interested in another target, as most are.
fn subscribe() {
    let layer = Nothing.with_filter(Targets::new().with_target("elsewhere", tracing::Level::TRACE));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("the first one");
}

/// The best of many short runs, in nanoseconds for one call.
fn best(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let run = |_| {
        let started = Instant::now();
        (0..CALLS).for_each(|_| call());
        started.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..60).map(run).fold(f64::INFINITY, f64::min)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "elsewhere") {
        subscribe();
    }
    let builder = || Mediator::builder().without_discovery();
    let one = builder().bind_handler::<Placed, _>(Handler::<0>).build().expect("wired");
    let four = builder()
        .bind_handler::<Placed, _>(Handler::<0>)
        .bind_handler::<Placed, _>(Handler::<1>)
        .bind_handler::<Placed, _>(Handler::<2>)
        .bind_handler::<Placed, _>(Handler::<3>)
        .build()
        .expect("wired");
    let shipped = builder()
        .bind_handler::<Shipped, _>(Handler::<0>)
        .bind_request_handler::<Count, _>(Counts)
        .build()
        .expect("wired");
    println!("one_handler {:.2}", best(|| block_on(async { one.publish(Placed(black_box(1))).await }).expect("handled")));
    println!("four_handlers {:.2}", best(|| block_on(async { four.publish(Placed(black_box(1))).await }).expect("handled")));
    println!("event_with_id {:.2}", best(|| block_on(async { shipped.publish(Shipped::new(black_box(1))).await }).expect("handled")));
    println!("send {:.2}", best(|| {
        black_box(block_on(async { shipped.send(Count(black_box(1))).await }).expect("answered"));
    }));
}
