use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Audit;

#[behavior(OrderPlaced)]
impl Behavior<OrderPlaced> for Audit {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

fn main() {}
