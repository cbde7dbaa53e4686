use mediator_core as bus;
use mediator_core::prelude::*;

#[event]
#[event(name = "orders.placed")]
struct OrderPlaced {
    order_id: u64,
}

#[event]
#[mediator_core::event]
struct OrderPaid {
    order_id: u64,
}

#[bus::event]
#[bus::event]
struct OrderShipped {
    order_id: u64,
}

fn main() {
    OrderShipped::new(OrderPaid::new(OrderPlaced::new(1).order_id).order_id);
}
