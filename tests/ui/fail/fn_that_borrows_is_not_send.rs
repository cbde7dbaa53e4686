use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::rc::Rc;

#[event_handler]
async fn send_email(_event: &OrderPlaced, limit: &mut u32) {
    let count = Rc::new(1);
    std::future::ready(()).await;
    *limit -= *count;
}

fn main() {}
