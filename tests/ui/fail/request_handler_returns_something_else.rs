use mediator_core::prelude::*;

struct Confirmation;

#[request(Confirmation, error = anyhow::Error)]
struct PlaceOrder;

#[request(usize)]
struct CountOrders;

#[request]
struct Tidy;

#[derive(Inject)]
struct Orders;

#[request_handler]
async fn answers_something_else(_request: &PlaceOrder) -> usize {
    1
}

#[request_handler]
async fn cannot_fail(_request: &PlaceOrder) -> Confirmation {
    Confirmation
}

#[request_handler]
fn fails_with_something_else(_request: &PlaceOrder) -> Result<Confirmation, String> {
    Ok(Confirmation)
}

#[request_handler]
async fn may_not_fail(_request: &CountOrders, _orders: &Orders) -> Result<usize, SendError> {
    Ok(1)
}

#[request_handler]
fn forgets_to_answer(_request: &CountOrders) {}

#[request_handlers]
impl Orders {
    async fn tidy(&self, _request: &Tidy, _orders: &mut Orders) -> bool {
        true
    }
}

fn main() {}
