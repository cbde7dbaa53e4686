use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn send_email(_event: &OrderPlaced, _limit: &'a u32) {}

fn main() {}
