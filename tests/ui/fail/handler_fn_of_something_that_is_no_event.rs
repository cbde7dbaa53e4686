use mediator_core::prelude::*;

struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn send_email(event: &OrderPlaced) {
    println!("{}", event.order_id);
}

fn main() {}
