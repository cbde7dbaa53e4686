use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced)]
#[event_handler(OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler]
#[event_handler]
async fn log(_event: &OrderPlaced) {}

fn main() {}
