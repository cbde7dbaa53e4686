use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced)]
enum SendEmail {
    Now,
    Later,
}

fn main() {}
