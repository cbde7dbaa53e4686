use mediator_core::prelude::*;

#[request(Missing, error = MissingError)]
struct PlaceOrder;

#[request_handler]
async fn place_order(_request: &MissingRequest) -> Missing {
    todo!()
}

fn main() {}
