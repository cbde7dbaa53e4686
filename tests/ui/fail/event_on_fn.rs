use mediator_core::prelude::*;

#[event]
fn order_placed(order_id: u64) -> u64 {
    order_id
}

fn main() {}
