use mediator_core::prelude::*;

#[request(usize)]
struct CountOrders;

#[request_handler(CountOrders)]
struct Orders;

#[request_handler]
async fn with_rc(_request: &CountOrders, _rc: std::rc::Rc<()>) -> usize {
    1
}

#[request_handler]
async fn not_send(_request: &CountOrders) -> usize {
    let rc = std::rc::Rc::new(1);
    std::future::ready(()).await;
    *rc
}

fn bind(builder: mediator_core::MediatorBuilder) {
    let _ = builder.bind_request::<CountOrders, Orders>();
}

fn main() {}
