use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::rc::Rc;

#[event_handler]
async fn send_email(_event: &OrderPlaced, _mailer: Rc<str>) {}

fn main() {}
