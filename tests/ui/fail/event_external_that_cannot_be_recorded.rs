use mediator_core::prelude::*;
use serde::Serialize;

#[event(name = "without.serde", external)]
struct WithoutSerde {}

#[event(name = "without.deserialize", external)]
#[derive(Serialize)]
struct WithoutDeserialize {}

fn main() {}
