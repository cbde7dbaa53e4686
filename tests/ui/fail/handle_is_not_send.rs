use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::rc::Rc;

#[event_handler(OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, event: &OrderPlaced) {
        let text = Rc::new(event.order_id);
        std::future::ready(()).await;
        println!("{text}");
    }
}

fn main() {}
