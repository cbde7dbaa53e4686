use mediator_core::prelude::*;

struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct SendEmail;

#[event_handler]
impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
