use mediator_core::prelude::*;

#[event]
trait OrderPlaced {
    fn order_id(&self) -> u64;
}

fn main() {}
