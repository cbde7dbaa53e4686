use mediator_core::prelude::*;

struct OrderPlaced;

struct PlaceOrder;

#[event_handler(timeout = "2s")]
async fn placed(_event: &OrderPlaced) {}

#[request_handler(retry(attempts = 3))]
async fn place(_request: &PlaceOrder) {}

#[request_handler(timeout = "2s")]
async fn place_again(_request: &self::PlaceOrder) {}

#[derive(Inject)]
struct Orders;

#[request_handler(timeout = "2s", retry(attempts = 3))]
impl RequestHandler<self::PlaceOrder> for Orders {
    async fn handle(&self, _request: &PlaceOrder) {}
}

fn main() {}
