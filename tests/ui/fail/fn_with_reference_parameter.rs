use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Mailer;

#[event_handler]
async fn send_email(_event: &OrderPlaced, _mailer: &Mailer) {}

fn main() {}
