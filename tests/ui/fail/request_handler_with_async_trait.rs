use mediator_core::prelude::*;

#[request(usize)]
struct CountOrders;

#[derive(Inject)]
struct Orders;

#[request_handler]
#[async_trait]
impl RequestHandler<CountOrders> for Orders {
    async fn handle(&self, _request: &CountOrders) -> usize {
        1
    }
}

fn main() {}
