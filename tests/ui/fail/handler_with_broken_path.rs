use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(crate::)]
struct SendEmail;

#[event_handler(&OrderPlaced)]
struct CountOrders;

#[event_handler(OrderPlaced OrderShipped)]
struct Audit;

impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
