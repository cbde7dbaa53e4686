use mediator_core::prelude::*;

#[event_handler]
async fn log(_event: &fixture_strict::Internal) {}

fn main() {}
