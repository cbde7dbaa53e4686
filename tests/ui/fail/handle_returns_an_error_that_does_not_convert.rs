use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Debug)]
struct MailError;

#[event_handler(OrderPlaced)]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) -> Result<(), MailError> {
        Err(MailError)
    }
}

fn main() {}
