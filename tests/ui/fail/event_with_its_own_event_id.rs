use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    event_id: Uuid,
    order_id: u64,
}

#[event]
struct OrderShipped {
    r#event_id: u64,
}

fn main() {
    let placed = OrderPlaced::new(Uuid::nil(), 7);
    println!("{} {}", placed.event_id(), placed.order_id);
    OrderShipped::new(7);
}
