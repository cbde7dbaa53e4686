use mediator_core::prelude::*;

struct Plain;

#[event]
struct OrderPlaced;

#[derive(Inject)]
struct Orders;

#[request_handler]
async fn on_plain(_request: &Plain) -> usize {
    1
}

#[request_handler]
fn on_event(_event: &OrderPlaced, _orders: &Orders) {}

#[request_handlers]
impl Orders {
    fn plain(&self, _request: &Plain) {}
}

fn main() {}
