use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Attempts(u32);

#[event_handler(OrderPlaced)]
struct SendEmail {
    #[inject(default)]
    attempts: Attempts,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
