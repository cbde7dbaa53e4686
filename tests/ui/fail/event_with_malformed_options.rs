use mediator_core::prelude::*;

#[event(name = 3, new = "no")]
struct OrderPlaced {
    order_id: u64,
}

#[event(name)]
struct OrderShipped {
    order_id: u64,
}

#[event(name("orders.cancelled"), OrderLost, "lost", crate = )]
struct OrderCancelled {
    order_id: u64,
}

fn main() {}
