use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn send_email<T>(_event: &OrderPlaced, _service: T) {}

#[event_handler]
async fn log<'a>(_event: &'a OrderPlaced) {}

fn main() {}
