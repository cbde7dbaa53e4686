use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

#[event(name = "a", alias = "a")]
#[derive(Serialize, Deserialize)]
struct A {}

#[event(name = "b", alias = ["c", "c"])]
#[derive(Serialize, Deserialize)]
struct B {}

#[event_handler(durable, name = "x", alias = ["x", "y", "y"])]
async fn h(_a: &A) {}

fn main() {}
