use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Mailer;

#[event_handler(OrderPlaced)]
struct SendEmail {
    mailer: &Mailer,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
