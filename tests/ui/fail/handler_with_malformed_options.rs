use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced, order = "first", name = email, ordr = 3, crate = self::runtime)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(order, after = [SendEmail, 3])]
async fn log(_event: &OrderPlaced) {}

#[event_handler(order = 3_000_000_000)]
async fn count(_event: &OrderPlaced) {}

fn main() {}
