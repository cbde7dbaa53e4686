use mediator_core::prelude::*;

#[request(usize)]
struct CountOrders;

#[request_handler(CountOrders)]
struct Orders;

impl RequestHandler<CountOrders> for Orders {
    async fn handle(&self, _request: &CountOrders) -> Result<usize, SendError> {
        Ok(1)
    }
}

fn main() {}
