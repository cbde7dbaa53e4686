use mediator_core::prelude::*;

struct OrderPlaced;

#[event]
impl OrderPlaced {
    fn order_id(&self) -> u64 {
        1
    }
}

fn main() {}
