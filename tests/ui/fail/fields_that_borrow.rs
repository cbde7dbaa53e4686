use mediator_core::prelude::*;
use std::borrow::Cow;

#[event]
struct OrderPlaced {
    note: Option<&str>,
    lines: Vec<Cow<'_, str>>,
}

#[request]
struct PlaceOrder {
    note: (u8, &str),
}

#[request]
enum Cancel<'a> {
    Order(&'a str),
}

struct Orders;

#[event_handler(OrderPlaced)]
struct Audit {
    orders: Option<&Orders>,
}

impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(OrderPlaced)]
struct Count {
    count: &mut u8,
}

impl EventHandler<OrderPlaced> for Count {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[mediator_core::service]
struct Log {
    orders: &Orders,
}

#[mediator_core::service]
struct Hooks {
    first: impl Fn(),
}

fn main() {}
