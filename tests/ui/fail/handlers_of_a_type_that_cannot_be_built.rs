use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Triage;

#[event_handlers]
impl Triage {
    async fn placed(&self, _event: &OrderPlaced) {}
}

fn main() {}
