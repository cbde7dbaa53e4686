//! What lending costs: handlers that borrow, publishes inside handlers, observers.

use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;

use crate::measure::{Table, block_on};
use crate::scale::{self, Threads};
use crate::work::{OrderPlaced, Total, builder};

/// Lent exclusively, as a transaction is.
struct Sum(u64);

/// Lent to all.
struct Tenant(u64);

/// Published inside the handlers of [`OrderPlaced`].
#[derive(Notification)]
struct StockReserved(OrderPlaced);

static TOTAL: Total = Total::new();

#[event_handler(manual)]
async fn borrows_nothing(event: &OrderPlaced) {
    TOTAL.add(event);
}

#[event_handler(manual)]
async fn borrows_one(event: &OrderPlaced, sum: &mut Sum) {
    sum.0 += event.quantity;
    TOTAL.add(event);
}

#[event_handler(manual)]
async fn borrows_two(event: &OrderPlaced, sum: &mut Sum, tenant: &Tenant) {
    sum.0 += event.quantity + tenant.0;
    TOTAL.add(event);
}

#[event_handler(manual)]
async fn observes(event: &dyn DynNotification) {
    black_box(event);
}

pub fn borrows() -> Table {
    let mut table = Table::new("One handler that borrows");
    let plain = builder().bind_fn(borrows_nothing).build().expect("wired");
    publishes!(table, "**mediator**, nothing is lent", |quantity| plain.publish(OrderPlaced::new(quantity)).await);
    let plain = builder().bind_fn(borrows_nothing).build().expect("wired");
    let mut sum = Sum(0);
    publishes!(table, "**mediator**, a `&mut` is lent and not borrowed", |quantity| {
        plain.with(&mut sum).publish(OrderPlaced::new(quantity)).await
    });
    let one = builder().bind_fn(borrows_one).build().expect("wired");
    let mut sum = Sum(0);
    publishes!(table, "**mediator**, a `&mut` is borrowed", |quantity| {
        one.with(&mut sum).publish(OrderPlaced::new(quantity)).await
    });
    let two = builder().bind_fn(borrows_two).build().expect("wired");
    let (mut sum, tenant) = (Sum(0), Tenant(1));
    publishes!(table, "**mediator**, a `&mut` and a `&` are borrowed", |quantity| {
        two.with(&mut sum).with(&tenant).publish(OrderPlaced::new(quantity)).await
    });
    let observed = builder().bind_fn(borrows_nothing).bind_fn(observes).build().expect("wired");
    publishes!(table, "**mediator**, nothing is lent, and an observer", |quantity| {
        observed.publish(OrderPlaced::new(quantity)).await
    });
    flag(&mut table);
    table
}

/// The least that a borrow of what is lent exclusively can cost, since any thread could want it.
fn flag(table: &mut Table) {
    let flag = AtomicBool::new(false);
    table.add("a `&mut` taken and freed: a compare-exchange and a store", move |times| {
        for _ in 0..times {
            let flag = black_box(&flag);
            let _ = black_box(flag.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed));
            flag.store(false, Ordering::Release);
        }
    });
}

pub fn strategies() -> Table {
    let mut table = Table::new("Four handlers that borrow");
    let mediator = four_writers().build().expect("wired");
    let mut sum = Sum(0);
    publishes!(table, "**mediator**, a `&mut` is borrowed by each in turn", |quantity| {
        mediator.with(&mut sum).publish(OrderPlaced::new(quantity)).await
    });
    let mediator = four_writers().event_publisher(BestEffortEventPublisher).build().expect("wired");
    let mut sum = Sum(0);
    publishes!(table, "**mediator**, the same, best effort", |quantity| {
        mediator.with(&mut sum).publish(OrderPlaced::new(quantity)).await
    });
    let mediator = four_readers().build().expect("wired");
    let tenant = Tenant(1);
    publishes!(table, "**mediator**, a `&` is borrowed by each in turn", |quantity| {
        mediator.with(&tenant).publish(OrderPlaced::new(quantity)).await
    });
    let mediator = four_readers().event_publisher(JoinEventPublisher).build().expect("wired");
    let tenant = Tenant(1);
    publishes!(table, "**mediator**, a `&` is borrowed by all at once, joined", |quantity| {
        mediator.with(&tenant).publish(OrderPlaced::new(quantity)).await
    });
    table
}

/// Handlers that write to what is lent, and those that read it.
macro_rules! four {
    ($($write:ident $read:ident)*) => {
        $(
            #[event_handler(manual)]
            async fn $write(event: &OrderPlaced, sum: &mut Sum) {
                black_box(sum).0 += event.quantity + event.order_id.len() as u64;
            }

            #[event_handler(manual)]
            async fn $read(event: &OrderPlaced, tenant: &Tenant) {
                black_box(event.quantity + tenant.0);
            }
        )*

        fn four_writers() -> MediatorBuilder {
            builder()$(.bind_fn($write))*
        }

        fn four_readers() -> MediatorBuilder {
            builder()$(.bind_fn($read))*
        }
    };
}
four!(write_a read_a write_b read_b write_c read_c write_d read_d);

static STRONG: OnceLock<Publisher> = OnceLock::new();

#[event_handler(manual)]
async fn through_strong(event: &OrderPlaced) -> Result<(), PublishError> {
    let publisher = STRONG.get().expect("set before it publishes");
    publisher.publish(StockReserved(OrderPlaced::new(event.quantity))).await
}

#[event_handler(manual)]
async fn through_lent(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(StockReserved(OrderPlaced::new(event.quantity))).await
}

#[event_handler(manual)]
async fn through_injected(event: &OrderPlaced, publisher: Publisher) -> Result<(), PublishError> {
    publisher.publish(StockReserved(OrderPlaced::new(event.quantity))).await
}

#[event_handler(manual)]
async fn on_reserved(event: &StockReserved) {
    TOTAL.add(&event.0);
}

pub fn nested() -> Table {
    let mut table = Table::new("A publish inside a handler");
    let strong = builder().bind_fn(through_strong).bind_fn(on_reserved).build().expect("wired");
    let _ = STRONG.set(strong.publisher());
    publishes!(table, "**mediator**, through a strong `Publisher`", |quantity| {
        strong.publish(OrderPlaced::new(quantity)).await
    });
    let lent = builder().bind_fn(through_lent).bind_fn(on_reserved).build().expect("wired");
    publishes!(table, "**mediator**, through a lent `&Publisher`", |quantity| {
        lent.publish(OrderPlaced::new(quantity)).await
    });
    let injected = builder().bind_fn(through_injected).bind_fn(on_reserved).build().expect("wired");
    publishes!(table, "**mediator**, through an injected `Publisher`", |quantity| {
        injected.publish(OrderPlaced::new(quantity)).await
    });
    table
}

/// One thread and two, each of which lends values of its own.
pub fn two_threads() -> Option<Vec<Threads>> {
    fn add(event: &OrderPlaced, sum: &mut Sum) {
        black_box(sum).0 += event.quantity + event.order_id.len() as u64;
    }

    let functions: Vec<fn(&OrderPlaced, &mut Sum)> = black_box(vec![add, add, add, add]);
    let in_turn = four_writers().build().expect("wired");
    let best_effort = four_writers().event_publisher(BestEffortEventPublisher).build().expect("wired");
    let joined = four_readers().event_publisher(JoinEventPublisher).build().expect("wired");
    let nested = builder().bind_fn(through_lent).bind_fn(ignores_reserved).build().expect("wired");
    let lend_exclusively = |mediator: &Mediator, times| {
        let mut sum = Sum(0);
        block_on(async {
            for quantity in 0..times {
                mediator.with(&mut sum).publish(OrderPlaced::new(quantity)).await.expect("no handler fails");
            }
        });
    };
    scale::two_threads([
        ("loop over four sync function pointers that take a `&mut`", &|times| {
            let mut sum = Sum(0);
            for quantity in 0..times {
                let event = OrderPlaced::new(quantity);
                functions.iter().for_each(|call| call(&event, &mut sum));
            }
        }),
        ("a `&mut` is borrowed by four handlers in turn", &|times| lend_exclusively(&in_turn, times)),
        ("the same, best effort", &|times| lend_exclusively(&best_effort, times)),
        ("a `&` is borrowed by four handlers at once, joined", &|times| {
            let tenant = Tenant(1);
            block_on(async {
                for quantity in 0..times {
                    joined.with(&tenant).publish(OrderPlaced::new(quantity)).await.expect("no handler fails");
                }
            });
        }),
        ("a publish inside a handler, through a lent `&Publisher`", &|times| {
            block_on(async {
                for quantity in 0..times {
                    nested.publish(OrderPlaced::new(quantity)).await.expect("no handler fails");
                }
            });
        }),
    ])
}

/// Shares nothing with those of other threads.
#[event_handler(manual)]
async fn ignores_reserved(event: &StockReserved) {
    black_box(event.0.quantity);
}
