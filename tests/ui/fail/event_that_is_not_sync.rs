use mediator_core::prelude::*;

use std::cell::Cell;

#[event]
struct OrderPlaced {
    total: Cell<u64>,
}

fn main() {}
