use mediator_core::prelude::*;

#[derive(Clone)]
#[event]
struct OrderPlaced {
    order_id: u64,
}

fn main() {}
