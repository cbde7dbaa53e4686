use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

fn place() -> OrderPlaced {
    OrderPlaced { order_id: 1 }
}

fn main() {}
