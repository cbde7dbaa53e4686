use mediator_core::prelude::*;

#[event(nmae = "orders.placed", new = 1)]
struct OrderPlaced<'a> {
    event_id: u64,
    order_id: &'a str,
    customer_id: &str,
}

fn main() {}
