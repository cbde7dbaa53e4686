use mediator_core::prelude::*;

#[event(timeout = "2s")]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Desk;

#[event_handlers(retry(attempts = 3))]
impl Desk {
    async fn placed(&self, _event: &OrderPlaced) {}
}

#[behavior(timeout = "2s")]
struct Timing;

impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

fn main() {}
