use mediator_core::prelude::*;

#[event(nmae = "orders.placed")]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn log(event: &OrderPlaced) {
    println!("{}", event.order_id);
}

fn main() {}
