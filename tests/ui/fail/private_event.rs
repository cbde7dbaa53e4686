use mediator_core::prelude::*;

mod orders {
    use mediator_core::prelude::*;

    #[event]
    struct OrderPlaced {
        order_id: u64,
    }
}

#[event_handler]
async fn log(_event: &orders::OrderPlaced) {}

fn main() {}
