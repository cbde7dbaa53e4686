use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

trait Reacts {}

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Reacts for Triage {}

#[event_handlers]
struct Other;

#[event_handlers]
async fn alone(_event: &OrderPlaced) {}

fn main() {}
