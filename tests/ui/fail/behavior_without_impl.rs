use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[request(usize)]
struct CountOrders;

#[behavior]
struct Timing;

#[behavior(OrderPlaced, CountOrders)]
struct Audit;

impl Behavior<OrderPlaced> for Audit {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

#[behavior]
struct Typed;

impl Behavior<OrderPlaced> for Typed {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

#[behavior(OrderPlaced)]
struct Untyped;

impl Behavior for Untyped {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

fn main() {}
