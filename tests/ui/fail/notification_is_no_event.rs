use mediator_core::prelude::*;

#[derive(Notification)]
struct StockCounted;

fn id_of(event: &impl Event) -> EventId {
    event.event_id()
}

fn log() -> EventId {
    id_of(&StockCounted)
}

fn main() {}
