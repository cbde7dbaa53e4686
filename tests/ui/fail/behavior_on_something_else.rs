use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[behavior]
async fn timing(mut call: Call<'_>) -> Outcome {
    call.run().await
}

#[behavior(OrderPlaced)]
enum Which {
    This,
    That,
}

#[derive(Inject)]
struct Audit;

#[behavior]
impl Audit {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[behavior]
impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler]
impl Behavior<OrderPlaced> for Audit {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

fn main() {}
