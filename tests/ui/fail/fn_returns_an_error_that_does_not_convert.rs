use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct MailError;

#[event_handler]
async fn send_email(_event: &OrderPlaced) -> Result<(), MailError> {
    Err(MailError)
}

fn main() {}
