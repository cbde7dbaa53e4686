use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

fn lend(mediator: &Mediator) {
    let _ = mediator.with(String::new());
    let _ = mediator.with(&std::cell::Cell::new(1));
}

fn main() {}
