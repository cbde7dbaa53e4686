#![allow(non_camel_case_types)]

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced)]
struct audit;

impl EventHandler<OrderPlaced> for audit {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(after = audit)]
async fn send_email(_event: &OrderPlaced) {}

#[behavior]
struct timing;

impl Behavior for timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[behavior(after = timing)]
struct Tracing;

impl Behavior for Tracing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

type Audit = audit;

#[event_handler(after = Audit)]
async fn by_an_alias(_event: &OrderPlaced) {}

fn main() {}
