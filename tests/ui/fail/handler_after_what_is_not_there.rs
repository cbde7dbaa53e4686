use mediator_core::prelude::*;

#[event]
struct OrderPlaced {}

fn not_a_handler() {}

#[event_handler(after = ReserveStok, before = [warehouse::Ship, not_a_handler])]
async fn send_email(_event: &OrderPlaced) {}

fn main() {}
