use mediator_core::prelude::*;

struct Plain;

#[behavior(Plain)]
struct Audit;

#[behavior(Missing)]
struct Timing;

fn main() {}
