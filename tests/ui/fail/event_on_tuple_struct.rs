use mediator_core::prelude::*;

#[event]
struct OrderPlaced(u64);

#[event_handler]
async fn log(event: &OrderPlaced) {
    println!("{}", event.0);
}

fn place() -> OrderPlaced {
    OrderPlaced::new(7)
}

fn main() {}
