use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn injects(_event: &OrderPlaced, #[inject(default)] _limit: &u32) {}

#[event_handler]
async fn sometimes(_event: &OrderPlaced, #[cfg(all())] _limit: &u32) {}

fn main() {}
