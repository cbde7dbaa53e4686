use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn count(_event: &OrderPlaced) -> usize {
    1
}

#[event_handler]
fn count_now(_event: &OrderPlaced) -> usize {
    1
}

fn main() {}
