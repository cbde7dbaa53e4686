use mediator_core::prelude::*;

#[event(alias = "orders.created", "orders.made", name = "orders.placed")]
struct OrderPlaced {
    order_id: u64,
}

#[event("orders.shipped")]
struct OrderShipped;

#[event_handler]
fn reserve(_event: &OrderPlaced) {}

#[event_handler]
fn audit(_event: &OrderPlaced) {}

#[event_handler(after = reserve, audit)]
fn ship(_event: &OrderPlaced) {}

#[derive(Inject)]
struct Billing;

#[event_handlers]
impl Billing {
    fn charge(&self, _event: &OrderPlaced) {
        self.log("charged");
    }

    fn log(&self, _text: &str) {}
}

#[request(String)]
struct Name;

#[request_handler]
fn name(_request: &Name) -> &str {
    "name"
}

fn main() {}
