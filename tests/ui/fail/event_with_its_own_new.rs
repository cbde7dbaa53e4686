use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

impl OrderPlaced {
    fn new() -> Self {
        Self { event_id: EventId::new(), order_id: 1 }
    }
}

fn main() {}
