use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(after = ReserveStok)]
async fn send_email(_event: &OrderPlaced) {}

fn main() {}
