use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event]
struct OrderShipped {
    order_id: u64,
}

#[behavior(OrderPlaced)]
#[behavior(OrderShipped, order = 3)]
struct Audit;

impl Behavior<OrderPlaced> for Audit {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

#[behavior]
#[behavior]
impl Behavior<OrderShipped> for Audit {
    async fn handle(&self, mut call: Call<'_, OrderShipped>) -> Outcome<OrderShipped> {
        call.run().await
    }
}

fn main() {}
