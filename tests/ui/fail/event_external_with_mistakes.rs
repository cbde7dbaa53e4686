use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

#[event(external)]
#[derive(Serialize, Deserialize)]
struct WithoutName {}

#[event(name = "with.value", external = true)]
#[derive(Serialize, Deserialize)]
struct WithValue {}

#[event(name = "generic", external)]
#[derive(Serialize, Deserialize)]
struct Generic<T> {
    value: T,
}

#[event(name = "tuple", external)]
#[derive(Serialize, Deserialize)]
struct Tuple(u32);

#[event(name = "twice", external, external)]
#[derive(Serialize, Deserialize)]
struct Twice {}

#[request(external)]
struct Request;

#[event_handler(external)]
async fn handler(_event: &Twice) {}

fn main() {}
