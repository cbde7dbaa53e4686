use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn observe(event: &mut dyn DynNotification) {
    let _ = event;
}

fn main() {}
