use mediator_core::prelude::*;

struct OrderConfirmation;

#[derive(Debug)]
struct OrderError;

impl From<SendError> for OrderError {
    fn from(_: SendError) -> Self {
        Self
    }
}

impl From<OrderError> for Box<dyn std::error::Error + Send + Sync> {
    fn from(_: OrderError) -> Self {
        "failed".into()
    }
}

#[request(OrderConfirmation)]
pub struct PlaceOrder;

#[request(error = OrderError)]
pub struct CancelOrder;

#[request(Vec<OrderConfirmation>, error = OrderError)]
pub struct PlaceOrders;

fn main() {}
