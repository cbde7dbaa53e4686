use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
fn count(_event: &OrderPlaced) -> impl Future<Output = ()> + use<> {
    async {}
}

fn main() {}
