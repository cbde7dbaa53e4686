use mediator_core::prelude::*;

#[event]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
