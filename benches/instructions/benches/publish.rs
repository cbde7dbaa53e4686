//! Fails when a publish or a send takes more instructions than it may. Needs valgrind and
//! `cargo install gungraun-runner --version 0.20.0`; then `cargo bench` in this folder.
//!
//! The counts are per hundred publishes or sends. They change with the compiler, so the limits leave a tenth of room.

use std::hint::black_box;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use mediator_core::prelude::*;

struct OrderPlaced(String);

impl Notification for OrderPlaced {}

#[event]
struct OrderShipped;

struct Handler<const NUMBER: usize, const WAITS: usize>;

impl<const NUMBER: usize, const WAITS: usize> EventHandler<OrderPlaced> for Handler<NUMBER, WAITS> {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), std::io::Error> {
        for _ in 0..WAITS {
            Yield(false).await;
        }
        black_box(event.0.len());
        Ok(())
    }
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn one() -> Mediator {
    let builder = Mediator::builder().without_discovery();
    builder.bind_handler::<OrderPlaced, _>(Handler::<0, 0>).build().expect("wired")
}

fn four<const WAITS: usize>(strategy: impl EventPublisher) -> Mediator {
    Mediator::builder()
        .without_discovery()
        .bind_handler::<OrderPlaced, _>(Handler::<0, WAITS>)
        .bind_handler::<OrderPlaced, _>(Handler::<1, WAITS>)
        .bind_handler::<OrderPlaced, _>(Handler::<2, WAITS>)
        .bind_handler::<OrderPlaced, _>(Handler::<3, WAITS>)
        .event_publisher(strategy)
        .build()
        .expect("wired")
}

fn ready() -> Mediator {
    four::<0>(SequentialEventPublisher)
}

fn pending() -> Mediator {
    four::<1>(SequentialEventPublisher)
}

fn group() -> Mediator {
    four::<1>(GroupEventPublisher)
}

fn limit(instructions: u64) -> LibraryBenchmarkConfig {
    LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, instructions)])).clone()
}

#[library_benchmark]
#[bench::one_handler(args = (one()), config = limit(ONE))]
#[bench::four_handlers(args = (ready()), config = limit(FOUR))]
#[bench::four_pending_handlers(args = (pending()), config = limit(PENDING))]
#[bench::group_of_four_pending_handlers(args = (group()), config = limit(GROUP))]
#[bench::nested_through_a_strong_publisher(args = (nested_strong()), config = limit(NESTED_STRONG))]
#[bench::nested_through_a_lent_publisher(args = (nested()), config = limit(NESTED))]
fn publish(mediator: Mediator) -> Mediator {
    block_on(async {
        for _ in 0..100 {
            black_box(mediator.publish(OrderPlaced(String::new())).await).expect("no handler fails");
        }
    });
    mediator
}

/// Lent to a handler, as a transaction is.
struct Sum(usize);

#[event_handler(manual)]
async fn borrows(event: &OrderPlaced, sum: &mut Sum) {
    sum.0 += event.0.len();
}

#[event_handler(manual)]
async fn publishes(_event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(StockReserved).await
}

static STRONG: OnceLock<Publisher> = OnceLock::new();

#[event_handler(manual)]
async fn publishes_through_strong(_event: &OrderPlaced) -> Result<(), PublishError> {
    STRONG.get().expect("set before it publishes").publish(StockReserved).await
}

#[derive(Notification)]
struct StockReserved;

#[event_handler(manual)]
async fn on_reserved(event: &StockReserved) {
    black_box(event);
}

#[event_handler(manual)]
async fn borrows_inherited(event: &StockReserved, sum: &mut Sum) {
    black_box(event);
    sum.0 += 1;
}

fn borrowing() -> Mediator {
    Mediator::builder().without_discovery().bind_fn(borrows).build().expect("wired")
}

fn nested() -> Mediator {
    Mediator::builder().without_discovery().bind_fn(publishes).bind_fn(on_reserved).build().expect("wired")
}

fn nested_borrowing() -> Mediator {
    Mediator::builder().without_discovery().bind_fn(publishes).bind_fn(borrows_inherited).build().expect("wired")
}

fn nested_strong() -> Mediator {
    let builder = Mediator::builder().without_discovery().bind_fn(publishes_through_strong).bind_fn(on_reserved);
    let mediator = builder.build().expect("wired");
    STRONG.get_or_init(|| mediator.publisher());
    mediator
}

#[library_benchmark]
#[bench::one_borrowing_handler(args = (borrowing()), config = limit(BORROWING))]
#[bench::nested_that_inherits(args = (nested_borrowing()), config = limit(INHERITING))]
fn lend(mediator: Mediator) -> Mediator {
    let mut sum = Sum(0);
    block_on(async {
        for _ in 0..100 {
            black_box(mediator.with(&mut sum).publish(OrderPlaced(String::new())).await).expect("no handler fails");
        }
    });
    mediator
}

#[request(u64)]
struct PlaceOrder(u64);

#[request_handler(manual)]
async fn place_order(request: &PlaceOrder) -> u64 {
    black_box(request.0)
}

struct Waits;

impl RequestHandler<PlaceOrder> for Waits {
    async fn handle(&self, request: &PlaceOrder) -> u64 {
        Yield(false).await;
        black_box(request.0)
    }
}

#[request(u64)]
struct Add(u64);

#[request_handler(manual)]
async fn add(request: &Add, sum: &mut Sum) -> u64 {
    sum.0 += 1;
    request.0
}

fn answering() -> Mediator {
    Mediator::builder().without_discovery().bind_fn(place_order).bind_fn(add).build().expect("wired")
}

fn waiting() -> Mediator {
    Mediator::builder().without_discovery().bind_request_handler::<PlaceOrder, _>(Waits).build().expect("wired")
}

#[library_benchmark]
#[bench::ready(args = (answering()), config = limit(SEND))]
#[bench::pending(args = (waiting()), config = limit(SEND_PENDING))]
fn send(mediator: Mediator) -> Mediator {
    block_on(async {
        for number in 0..100 {
            black_box(mediator.send(PlaceOrder(number)).await).expect("no handler panics");
        }
    });
    mediator
}

#[library_benchmark]
#[bench::borrowing(args = (answering()), config = limit(SEND_BORROWING))]
fn lend_to_request(mediator: Mediator) -> Mediator {
    let mut sum = Sum(0);
    block_on(async {
        for number in 0..100 {
            black_box(mediator.with(&mut sum).send(Add(number)).await).expect("no handler panics");
        }
    });
    mediator
}

/// Around every handler, as the shortest behavior is.
struct Around<const NUMBER: usize>;

impl<const NUMBER: usize> Behavior for Around<NUMBER> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

fn inside_one() -> Mediator {
    let builder = Mediator::builder().without_discovery().behavior(Around::<0>);
    builder.bind_handler::<OrderPlaced, _>(Handler::<0, 0>).bind_fn(place_order).build().expect("wired")
}

fn inside_two() -> Mediator {
    let builder = Mediator::builder().without_discovery().behavior(Around::<0>).behavior(Around::<1>);
    builder.bind_handler::<OrderPlaced, _>(Handler::<0, 0>).bind_fn(place_order).build().expect("wired")
}

#[library_benchmark]
#[bench::one(args = (inside_one()), config = limit(INSIDE_ONE))]
#[bench::two(args = (inside_two()), config = limit(INSIDE_TWO))]
fn publish_inside_behaviors(mediator: Mediator) -> Mediator {
    block_on(async {
        for _ in 0..100 {
            black_box(mediator.publish(OrderPlaced(String::new())).await).expect("no handler fails");
        }
    });
    mediator
}

#[library_benchmark]
#[bench::one(args = (inside_one()), config = limit(SEND_INSIDE_ONE))]
#[bench::two(args = (inside_two()), config = limit(SEND_INSIDE_TWO))]
fn send_inside_behaviors(mediator: Mediator) -> Mediator {
    block_on(async {
        for number in 0..100 {
            black_box(mediator.send(PlaceOrder(number)).await).expect("no handler panics");
        }
    });
    mediator
}

#[library_benchmark(config = limit(ID))]
fn event() {
    for _ in 0..100 {
        black_box(OrderShipped::new());
    }
}

const BORROWING: u64 = 27_600;
const INHERITING: u64 = 77_000;
const NESTED: u64 = 49_000;
const NESTED_STRONG: u64 = 36_900;
const ONE: u64 = 8_600;
const FOUR: u64 = 16_600;
const PENDING: u64 = 35_000;
const GROUP: u64 = 117_000;
const ID: u64 = 25_200;
const SEND: u64 = 9_900;
const SEND_PENDING: u64 = 18_200;
const SEND_BORROWING: u64 = 34_100;
const INSIDE_ONE: u64 = 30_600;
const INSIDE_TWO: u64 = 42_200;
const SEND_INSIDE_ONE: u64 = 55_500;
const SEND_INSIDE_TWO: u64 = 73_000;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
}

library_benchmark_group!(
    name = publishing,
    benchmarks = [publish, lend, send, lend_to_request, publish_inside_behaviors, send_inside_behaviors, event]
);
main!(library_benchmark_groups = publishing);
