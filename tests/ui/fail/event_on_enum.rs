use mediator_core::prelude::*;

#[event]
enum OrderChanged {
    Placed,
    Shipped,
}

#[event_handler]
async fn log(_event: &OrderChanged) {}

fn main() {}
