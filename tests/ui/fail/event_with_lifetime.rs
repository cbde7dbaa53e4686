use mediator_core::prelude::*;

#[event]
struct OrderPlaced<'a> {
    order_id: &'a str,
}

fn main() {}
