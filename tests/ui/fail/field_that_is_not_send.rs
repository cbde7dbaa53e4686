use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::rc::Rc;

#[event_handler(OrderPlaced)]
struct SendEmail {
    mailer: Rc<str>,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
