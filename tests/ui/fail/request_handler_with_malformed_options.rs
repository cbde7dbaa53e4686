use mediator_core::prelude::*;

#[request]
struct PlaceOrder;

#[request]
struct Tidy;

#[event]
struct OrderPlaced;

#[request_handler(order = 3)]
fn ordered(_request: &PlaceOrder) {}

#[request_handler(PlaceOrder, Tidy)]
fn of_two(_request: &PlaceOrder) {}

#[request_handler(Tidy)]
fn of_another(_request: &PlaceOrder) {}

#[request_handler(dyn DynNotification)]
fn observes(_request: &dyn DynNotification) {}

#[request_handler]
fn mutable(_request: &mut PlaceOrder) {}

#[request_handler]
fn by_value(_request: PlaceOrder) {}

#[request_handler]
fn without() {}

#[request_handler]
struct OfNothing;

#[request_handler(PlaceOrder, PlaceOrder)]
struct OfOneTwice;

#[request_handler]
enum Choice {}

#[derive(Inject)]
struct Orders;

#[request_handler(Tidy)]
impl RequestHandler<Tidy> for Orders {
    async fn handle(&self, _request: &Tidy) {}
}

#[request_handler]
impl EventHandler<OrderPlaced> for Orders {
    async fn handle(&self, event: &OrderPlaced) {}
}

#[event_handler]
impl RequestHandler<PlaceOrder> for Orders {
    async fn handle(&self, _request: &PlaceOrder) {}
}

#[request_handler]
impl Orders {}

fn main() {}
