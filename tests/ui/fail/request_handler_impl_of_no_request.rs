use mediator_core::prelude::*;

struct Plain;

#[derive(Inject)]
struct Orders;

#[request_handler]
impl RequestHandler<Plain> for Orders {
    async fn handle(&self, _request: &Plain) -> usize {
        1
    }
}

fn main() {}
