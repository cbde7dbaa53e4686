//! How often a publish, and a send, allocates, and how much a build does.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Waker};

use mediator_core::prelude::*;
use mediator_core::{Deliveries, HandlerFuture, MediatorBuilder};
use mediator_tests::{BestEffort, On, bind_tens, pending};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: does what `System` does; counting touches no memory but thread-local integers.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size());
        // SAFETY: passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: passed on as it is.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Runs the future to its end on this thread; the result, and the allocations made on the way.
fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    let before = ALLOCATIONS.get();
    loop {
        if let std::task::Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return (result, ALLOCATIONS.get() - before);
        }
    }
}

fn allocations(future: impl Future<Output = Result<(), PublishError>>) -> usize {
    let (result, allocations) = counted(future);
    result.unwrap();
    allocations
}

#[derive(Notification)]
struct OrderPlaced;

/// Pending so many times before it is done.
struct Wait<const HANDLER: usize>(usize);

impl<const HANDLER: usize> EventHandler<OrderPlaced> for Wait<HANDLER> {
    async fn handle(&self, _event: &OrderPlaced) {
        pending(self.0).await;
    }
}

/// Four handlers that wait so often.
fn four(waits: [usize; 4]) -> MediatorBuilder {
    Mediator::builder()
        .without_discovery()
        .bind_handler::<OrderPlaced, _>(Wait::<0>(waits[0]))
        .bind_handler::<OrderPlaced, _>(Wait::<1>(waits[1]))
        .bind_handler::<OrderPlaced, _>(Wait::<2>(waits[2]))
        .bind_handler::<OrderPlaced, _>(Wait::<3>(waits[3]))
}

/// A hundred handlers that wait so often.
fn hundred(waits: usize) -> MediatorBuilder {
    bind_tens!(Mediator::builder().without_discovery(), OrderPlaced, Wait(waits), 0 1 2 3 4 5 6 7 8 9)
}

/// A hundred events and a hundred handlers, which the mediators of the tests do not have.
mod registered {
    macro_rules! registered {
        ($($one:ident)*: $ten:tt) => { $(mod $one { $crate::registered::registered! { $ten } })* };
        ([$($event:ident)*]) => { $(mod $event {
            use mediator_core::prelude::*;

            #[derive(Notification)]
            pub(super) struct Declared;

            #[event_handler]
            fn handle(_event: &Declared) {}
        })* };
    }
    use registered;

    registered! { a b c d e f g h i j: [a b c d e f g h i j] }
}

#[test]
fn a_build_costs_what_the_mediator_has_whatever_else_the_program_registers() {
    let build = || Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(Wait::<0>(0)).build();
    build().unwrap();
    let before = BYTES.get();
    build().unwrap();
    let bytes = BYTES.get() - before;
    assert!(bytes < 16_000, "{bytes} bytes");
    assert!(Mediator::builder().without_discovery().build().unwrap().topology().events().len() > 100);
}

#[test]
fn a_publish_without_handlers_allocates_nothing() {
    let mediator = Mediator::builder().without_discovery().build().unwrap();
    assert_eq!(allocations(mediator.publish(OrderPlaced)), 0);
    assert_eq!(allocations(mediator.publisher().downgrade().publish(OrderPlaced)), 0);
}

#[test]
fn one_after_another_nothing_is_allocated() {
    for waits in [[0; 4], [1; 4], [3, 0, 2, 1]] {
        let mediator = four(waits).build().unwrap();
        assert_eq!(allocations(mediator.publish(OrderPlaced)), 0, "{waits:?}");
        assert_eq!(allocations(mediator.publisher().downgrade().publish(OrderPlaced)), 0, "{waits:?}");
        assert_eq!(allocations(mediator.publish_with(&SequentialEventPublisher, OrderPlaced)), 0, "{waits:?}");
    }
}

#[test]
fn a_boxed_event_is_published_without_further_allocations() {
    let mediator = four([1; 4]).build().unwrap();
    let events: Vec<Box<dyn DynNotification>> = vec![Box::new(OrderPlaced), Box::new(OrderPlaced)];
    assert_eq!(allocations(mediator.publish_all(events)), 0);
}

#[test]
fn a_group_allocates_nothing_while_one_handler_at_most_is_pending() {
    for waits in [[0; 4], [2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 2], [0, 0, 1, 1]] {
        let mediator = four(waits).event_publisher(GroupEventPublisher).build().unwrap();
        assert_eq!(allocations(mediator.publish(OrderPlaced)), 0, "{waits:?}");
        assert_eq!(allocations(mediator.publish_with(&GroupEventPublisher, OrderPlaced)), 0, "{waits:?}");
    }
}

#[test]
fn a_group_of_which_more_are_pending_allocates_once() {
    for waits in [[1; 4], [5; 4], [1, 1, 0, 0], [1, 0, 1, 1]] {
        let mediator = four(waits).event_publisher(GroupEventPublisher).build().unwrap();
        assert_eq!(allocations(mediator.publish(OrderPlaced)), 1, "{waits:?}");
    }
    let mediator = hundred(4).event_publisher(GroupEventPublisher).build().unwrap();
    assert_eq!(allocations(mediator.publish(OrderPlaced)), 1);
}

#[test]
fn a_large_group_that_stays_pending_allocates_a_waker_for_each_handler() {
    let mediator = hundred(20).event_publisher(GroupEventPublisher).build().unwrap();
    let (slots, bits, list) = (1, 3, 1);
    assert_eq!(allocations(mediator.publish(OrderPlaced)), slots + bits + list + 100);
}

#[test]
fn a_strategy_of_ones_own_costs_a_box_when_the_mediator_keeps_it() {
    let mediator = four([1; 4]).event_publisher(BestEffort).build().unwrap();
    assert_eq!(allocations(mediator.publish(OrderPlaced)), 1);
}

#[test]
fn a_strategy_of_one_call_costs_nothing() {
    let mediator = four([1; 4]).build().unwrap();
    assert_eq!(allocations(mediator.publish_with(&BestEffort, OrderPlaced)), 0);
}

#[test]
fn a_future_larger_than_the_storage_is_boxed() {
    async fn holds<const SIZE: usize>() {
        let data = [1_u8; SIZE];
        pending(1).await;
        std::hint::black_box(&data);
    }
    let publish = |mediator: &Mediator| allocations(mediator.publish(OrderPlaced));
    let small = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(On(|_: &_| holds::<64>()));
    assert_eq!(publish(&small.build().unwrap()), 0);
    let large = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(On(|_: &_| holds::<1024>()));
    assert_eq!(publish(&large.build().unwrap()), 1);
}

#[test]
fn only_a_failure_allocates() {
    fn fail(_: &OrderPlaced) -> impl HandlerFuture + use<> {
        async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::TimedOut)) }
    }
    let mediator = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(On(fail)).build().unwrap();
    let (result, allocations) = counted(mediator.publish(OrderPlaced));
    assert!(result.is_err());
    assert!(allocations > 0);
}

/// `Deliveries` keeps the progress of 32 handlers in place.
#[test]
fn the_progress_of_many_deliveries_costs_one_allocation() {
    struct One;

    impl EventPublisher for One {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            for delivery in deliveries.iter() {
                delivery.deliver().await.unwrap();
            }
            deliveries.finish([])
        }
    }

    let mediator = hundred(0).build().unwrap();
    assert_eq!(allocations(mediator.publish_with(&One, OrderPlaced)), 1);
}

#[test]
fn lending_allocates_nothing_nor_does_an_option_of_what_is_not_lent() {
    struct Stock(usize);

    #[event_handler(manual)]
    async fn take(_event: &OrderPlaced, stock: &mut Stock) {
        pending(1).await;
        stock.0 -= 1;
    }

    #[event_handler(manual)]
    async fn count(_event: &OrderPlaced, stock: &Stock, discount: Option<&u32>, log: Option<&mut String>) {
        assert!(discount.is_none() && log.is_none() && stock.0 == 1);
    }

    let mediator = Mediator::builder().without_discovery().bind_fn(take).bind_fn(count).build().unwrap();
    let mut stock = Stock(2);
    assert_eq!(allocations(async { mediator.with(&mut stock).with(&1_u8).publish(OrderPlaced).await }), 0);
}

#[request(u64)]
struct CountOrders(usize);

#[request_handler(manual)]
async fn count_orders(request: &CountOrders) -> u64 {
    pending(request.0).await;
    1
}

struct Tally(u64);

#[request([u64; SIZE], error = SendError)]
struct Numbers<const SIZE: usize>;

struct CountsUp;

impl<const SIZE: usize> RequestHandler<Numbers<SIZE>> for CountsUp {
    async fn handle(&self, _request: &Numbers<SIZE>) -> Result<[u64; SIZE], SendError> {
        Ok([1; SIZE])
    }
}

#[request(u64)]
struct Add(u64);

#[request_handler(manual)]
async fn add(request: &Add, tally: &mut Tally) -> u64 {
    pending(1).await;
    tally.0 += request.0;
    tally.0
}

#[test]
fn a_send_allocates_nothing_whether_the_handler_waits_or_borrows() {
    let mediator = Mediator::builder().without_discovery().bind_fn(count_orders).bind_fn(add).build().unwrap();
    for waits in [0, 3] {
        let (answer, allocations) = counted(mediator.send(CountOrders(waits)));
        assert_eq!((answer.unwrap(), allocations), (1, 0));
        let weak = mediator.sender().downgrade();
        assert_eq!(counted(weak.send(CountOrders(waits))).1, 0);
    }
    let mut tally = Tally(0);
    let (answer, allocations) = counted(async { mediator.with(&mut tally).send(Add(2)).await });
    assert_eq!((answer.unwrap(), allocations), (2, 0));
}

#[test]
fn only_an_answer_larger_than_the_storage_is_boxed() {
    let counts = || Mediator::builder().without_discovery();
    let small = counts().bind_request_handler::<Numbers<10>, _>(CountsUp).build().unwrap();
    let (answer, allocations) = counted(small.send(Numbers::<10>));
    assert_eq!((answer.unwrap(), allocations), ([1; 10], 0));
    let large = counts().bind_request_handler::<Numbers<100>, _>(CountsUp).build().unwrap();
    let (answer, allocations) = counted(large.send(Numbers::<100>));
    assert_eq!((answer.unwrap(), allocations > 0), ([1; 100], true));
}

/// As timing or logging does, around every message.
struct Around<const NUMBER: usize>;

impl<const NUMBER: usize> Behavior for Around<NUMBER> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let started = std::time::Instant::now();
        let outcome = call.run().await;
        assert!(started.elapsed().as_secs() < 60);
        outcome
    }
}

/// Around one request.
struct Checked;

impl Behavior<CountOrders> for Checked {
    async fn handle(&self, mut call: Call<'_, CountOrders>) -> Outcome<CountOrders> {
        if call.message().0 > 100 { call.refuse("too many") } else { call.run().await }
    }
}

#[test]
fn up_to_two_behaviors_allocate_nothing() {
    let builder = Mediator::builder().without_discovery().bind_fn(count_orders);
    let builder = builder.bind_handler::<OrderPlaced, _>(Wait::<0>(1)).bind_handler::<OrderPlaced, _>(Wait::<1>(0));
    let mediator = builder.behavior(Around::<0>).behavior(Checked).build().unwrap();
    for waits in [0, 3] {
        assert_eq!(counted(mediator.send(CountOrders(waits))).1, 0);
    }
    assert_eq!(allocations(mediator.publish(OrderPlaced)), 0);
    let builder = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(Wait::<0>(1));
    let mediator = builder.behavior(Around::<0>).behavior(Around::<1>).build().unwrap();
    assert_eq!(allocations(mediator.publish(OrderPlaced)), 0);
}

#[test]
fn what_does_not_fit_in_place_is_one_allocation_for_each_handler_and_so_is_a_value_that_is_lent() {
    #[behavior(lends(&mut Tally))]
    struct Lends;

    impl Behavior for Lends {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            call.with(&mut Tally(0)).run().await
        }
    }

    let builder = || Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(Wait::<0>(1));
    let many = builder().behavior(Around::<0>).behavior(Around::<1>).behavior(Around::<2>).behavior(Around::<3>);
    assert_eq!(allocations(many.build().unwrap().publish(OrderPlaced)), 1);
    // The future of one that lends is boxed, as any large one is, and what is inside has memory of its own.
    assert_eq!(allocations(builder().behavior(Lends).build().unwrap().publish(OrderPlaced)), 2);
    let group = builder().behavior(Around::<0>).event_publisher(GroupEventPublisher).build().unwrap();
    assert_eq!(allocations(group.publish(OrderPlaced)), 1);
}
