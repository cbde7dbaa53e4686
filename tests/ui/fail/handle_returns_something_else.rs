use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced)]
struct CountOrders;

impl EventHandler<OrderPlaced> for CountOrders {
    async fn handle(&self, _event: &OrderPlaced) -> usize {
        1
    }
}

fn main() {}
