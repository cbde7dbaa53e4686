use mediator_core::prelude::*;

struct OrderPlaced;

struct PlaceOrder;

#[event_handler(timeout = "2s")]
async fn placed(_event: &OrderPlaced) {}

#[request_handler(retry(attempts = 3))]
async fn place(_request: &PlaceOrder) {}

fn main() {}
