use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

#[event]
#[derive(Serialize, Deserialize)]
struct WithoutName {}

#[event(name = "without.serde")]
struct WithoutSerde {}

#[event(name = "generic")]
#[derive(Serialize, Deserialize)]
struct Generic<T> {
    value: T,
}

#[event_handler(durable, name = "a")]
async fn of_one_without_a_name(_event: &WithoutName) {}

#[event_handler(durable, name = "b")]
async fn of_one_without_serde(_event: &WithoutSerde) {}

#[event_handler(durable, name = "c")]
async fn of_a_generic_one(_event: &Generic<u32>) {}

#[derive(Default)]
#[event_handler(WithoutSerde, durable, name = "d")]
struct OfOneWithoutSerde;

impl EventHandler<WithoutSerde> for OfOneWithoutSerde {
    async fn handle(&self, _event: &WithoutSerde) {}
}

fn main() {}
