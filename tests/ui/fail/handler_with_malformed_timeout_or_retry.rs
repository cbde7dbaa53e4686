use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced, timeout = 2, retry(attempts = 0, base = "50", factor = 2))]
struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(timeout = "2 s", retry)]
async fn log(_event: &OrderPlaced) {}

#[event_handler(timeout = "0s", retry = 3)]
async fn count(_event: &OrderPlaced) {}

#[event_handler(timeout, retry())]
async fn weigh(_event: &OrderPlaced) {}

#[event_handler(retry(attempts = "3", base = "2s", cap = "50ms"))]
async fn measure(_event: &OrderPlaced) {}

#[event_handler(retry(5))]
async fn pack(_event: &OrderPlaced) {}

#[event_handler(retry(attempts = 3, attempts = 4), retry(attempts = 5))]
async fn wrap(_event: &OrderPlaced) {}

#[event_handler(retry(base = "99999999999999999h", attempts = 5_000_000_000))]
async fn ship(_event: &OrderPlaced) {}

#[event_handler(timeout("2s"))]
async fn bill(_event: &OrderPlaced) {}

fn main() {}
