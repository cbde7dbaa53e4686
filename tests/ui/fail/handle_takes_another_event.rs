use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event]
struct OrderShipped {}

#[event_handler(OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderShipped) {}
}

fn main() {}
