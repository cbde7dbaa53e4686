use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    async fn without_self(_event: &OrderPlaced) {}

    async fn exclusive(&mut self, _event: &OrderPlaced) {}

    async fn without_event(&self) {}

    async fn injected(&self, _event: &OrderPlaced, _limit: std::sync::Arc<u32>) {}
}

fn main() {}
