use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    event_id: u64,
}

fn place() -> OrderPlaced {
    OrderPlaced::new(7)
}

fn main() {}
