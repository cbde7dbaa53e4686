use std::sync::Arc;

use mediator_core::prelude::*;

#[request]
struct PlaceOrder;

#[request]
struct Tidy;

#[derive(Inject)]
struct Orders;

#[request_handlers]
impl Orders {
    fn without_self(_request: &PlaceOrder) {}

    fn exclusive(&mut self, request: &PlaceOrder) {}

    fn injected(&self, _request: &PlaceOrder, orders: Arc<Orders>) {}

    fn without_request(&self) {}

    #[request_handler = 3]
    fn malformed(&self, _request: &Tidy) {}

    #[request_handler(order = 3)]
    fn ordered(&self, _request: &Tidy) {}
}

#[request_handlers]
impl RequestHandler<Tidy> for Orders {
    async fn handle(&self, _request: &Tidy) {}
}

#[request_handlers]
fn function(_request: &Tidy) {}

struct Generic<T>(T);

#[request_handlers]
impl<T> Generic<T> {
    fn tidy(&self, _request: &Tidy) {}
}

fn main() {}
