use mediator_core::prelude::*;

#[event(name = "orders.placed", name = "order.placed")]
struct OrderPlaced {
    order_id: u64,
}

fn main() {}
