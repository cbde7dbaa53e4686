use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn log(_event: &OrderPlaced) {}

#[behavior(after = log)]
struct Timing;

impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

fn main() {}
