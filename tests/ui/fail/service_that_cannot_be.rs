use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::sync::Arc;

#[service]
async fn later() -> u32 {
    1
}

#[service]
fn borrowed() -> &'static str {
    "text"
}

#[service]
fn generic<T: Default>() -> T {
    T::default()
}

#[service]
fn asks_for_a_borrow(_limit: &u32) -> Arc<str> {
    "text".into()
}

#[service]
struct Cache<T> {
    entry: T,
}

#[service]
enum Choice {
    One,
}

fn main() {}
