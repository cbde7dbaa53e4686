use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn send_email(_event: &OrderPlaced) -> Result<(), impl std::error::Error> {
    Err(std::fmt::Error)
}

fn main() {}
