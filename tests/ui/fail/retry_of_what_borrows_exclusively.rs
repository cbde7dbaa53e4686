use mediator_core::prelude::*;

struct Connection;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[request]
struct Tidy;

#[event_handler(timeout = "2s", retry(attempts = 3))]
async fn write_invoice(_event: &OrderPlaced, _publisher: &Publisher, _tx: &mut Connection) {}

#[request_handler(retry(attempts = 3))]
async fn tidy(_request: &Tidy, _tx: Option<&mut Connection>) {}

#[derive(Inject)]
struct Desk;

#[event_handlers]
impl Desk {
    #[event_handler(retry(attempts = 3))]
    async fn placed(&self, _event: &OrderPlaced, _tx: &mut Connection) {}
}

fn main() {}
