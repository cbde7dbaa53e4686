use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

trait Mailer: Send + Sync {}

#[event_handler]
async fn send_email(_event: &OrderPlaced, _mailer: std::sync::Arc<impl Mailer>) {}

fn main() {}
