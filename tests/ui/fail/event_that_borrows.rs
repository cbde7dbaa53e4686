use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: &str,
}

fn main() {}
