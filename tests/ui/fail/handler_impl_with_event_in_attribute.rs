use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct SendEmail;

#[event_handler(OrderPlaced)]
impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(OrderPlaced)]
async fn log(_event: &OrderPlaced) {}

fn main() {}
