use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct SendEmail;

impl SendEmail {
    #[event_handler]
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
