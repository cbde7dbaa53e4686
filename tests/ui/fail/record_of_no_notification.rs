use mediator_core::prelude::*;

struct OrderPlaced;

fn place(events: &mut PendingEvents) {
    events.record(OrderPlaced);
}

fn main() {}
