use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced, OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
