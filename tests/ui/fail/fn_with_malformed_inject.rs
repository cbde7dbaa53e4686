use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn send_email(_event: &OrderPlaced, #[inject(defualt)] _attempts: u32, #[cfg(test)] _log: u32) {}

fn main() {}
