use mediator_core::prelude::*;

#[event(crate = mediator_core)]
struct OrderPlaced {
    order_id: u64,
}

#[event(crate = ::Self::bus)]
struct OrderShipped;

fn main() {}
