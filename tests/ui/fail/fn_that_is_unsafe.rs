use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async unsafe fn send_email(_event: &OrderPlaced) {}

fn main() {}
