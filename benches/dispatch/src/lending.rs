//! What lending costs: handlers that borrow, publishes inside handlers, observers.

use std::hint::black_box;
use std::sync::OnceLock;

use mediator_core::prelude::*;

use crate::measure::{Table, block_on};
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
    table
}

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
