use mediator_core::prelude::*;

#[derive(Notification)]
struct StockCounted;

fn id_of(event: &impl Event) -> Uuid {
    event.event_id()
}

fn log() -> Uuid {
    id_of(&StockCounted)
}

fn main() {}
