use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

#[event(name = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {}

#[request]
struct Tidy;

#[event_handler(durable)]
async fn without_a_name(_event: &OrderPlaced) {}

#[event_handler(durable, name = "a", order = 3)]
async fn with_an_order(_event: &OrderPlaced) {}

#[event_handler(OrderPlaced, durable, name = "b", after = without_a_name)]
#[derive(Default)]
struct After;

impl EventHandler<OrderPlaced> for After {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[event_handler(durable, name = "c")]
async fn observer(_event: &dyn DynNotification) {}

#[event_handler(dyn DynNotification, durable, name = "d")]
struct Observer;

impl EventHandler<dyn DynNotification> for Observer {
    async fn handle(&self, _event: &dyn DynNotification) {}
}

#[request_handler(durable, name = "e")]
async fn request(_request: &Tidy) {}

#[event_handler(alias = ["old.name"], dead = skip)]
async fn with_what_is_for_durable_ones(_event: &OrderPlaced) {}

#[event_handler(durable = true, name = "f")]
async fn with_a_value(_event: &OrderPlaced) {}

#[event_handler(durable(name = "f"))]
async fn with_options_of_its_own(_event: &OrderPlaced) {}

#[event_handler(durable, name = NAME)]
async fn with_a_constant_name(_event: &OrderPlaced) {}

#[event_handler(durable, name = "", alias = [" "])]
async fn with_an_empty_name(_event: &OrderPlaced) {}

#[event_handler(durable, name = "g", dead = stop)]
async fn with_another_word(_event: &OrderPlaced) {}

fn main() {}
