use mediator_core::prelude::*;

#[event]
struct OrderPlaced {}

struct Connection;

#[event_handler(OrderPlaced)]
struct SendEmail {
    connection: Option<Connection>,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {
        drop(&self.connection);
    }
}

fn main() {}
