use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Triage;

#[event_handlers]
#[async_trait::async_trait]
impl Triage {
    async fn placed(&self, _event: &OrderPlaced) {}
}

fn main() {}
