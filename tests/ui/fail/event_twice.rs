use mediator_core::prelude::*;

#[event]
#[event(name = "orders.placed")]
struct OrderPlaced {
    order_id: u64,
}

fn main() {}
