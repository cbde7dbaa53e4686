use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event]
struct OrderShipped {}

#[event_handler(OrderShipped)]
async fn send_email(_event: &OrderPlaced) {}

#[event_handler(OrderPlaced, OrderShipped)]
async fn send_two(_event: &OrderPlaced) {}

fn main() {}
