use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::rc::Rc;

#[event_handler]
async fn send_email(event: &OrderPlaced) {
    let text = Rc::new(event.order_id);
    std::future::ready(()).await;
    println!("{text}");
}

fn main() {}
