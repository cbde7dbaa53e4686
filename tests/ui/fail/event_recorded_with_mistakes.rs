use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

fn from_1(payload: serde_json::Value) -> Result<serde_json::Value, std::io::Error> {
    Ok(payload)
}

fn from_2(payload: String) -> Result<String, std::io::Error> {
    Ok(payload)
}

#[event(version = 2, alias = ["a"], key = id)]
#[derive(Serialize, Deserialize)]
struct WithoutName {
    id: u32,
}

#[event(name = "b", key = order)]
#[derive(Serialize, Deserialize)]
struct KeyOfNothing {
    id: u32,
}

#[event(name = "b", key = order.id)]
#[derive(Serialize, Deserialize)]
struct KeyOfAField {
    order: u32,
}

#[event(name = "c", durable)]
#[derive(Serialize, Deserialize)]
struct DurableItself {}

#[event(name = "c", version = 0)]
#[derive(Serialize, Deserialize)]
struct VersionZero {}

#[event(name = "d", version = 3, upcast = [from_1])]
#[derive(Serialize, Deserialize)]
struct TooFewUpcasters {}

#[event(name = "e", version = 2, upcast = from_1)]
#[derive(Serialize, Deserialize)]
struct NotAList {}

#[event(name = "f", version = 2, upcast = [from_2])]
#[derive(Serialize, Deserialize)]
struct OfAnotherType {}

struct NoDisplay;

#[event(name = "g", key = what)]
struct KeyThatHasNoText {
    what: NoDisplay,
}

#[event(name = "h", version = 2)]
struct Generic<T> {
    value: T,
}

fn main() {}
