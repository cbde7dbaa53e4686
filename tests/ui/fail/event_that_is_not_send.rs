use mediator_core::prelude::*;

use std::rc::Rc;

#[event]
struct OrderPlaced {
    order_id: u64,
    lines: Rc<str>,
}

fn main() {}
