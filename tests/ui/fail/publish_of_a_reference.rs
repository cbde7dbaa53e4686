use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

async fn place(mediator: &Mediator) -> Result<(), PublishError> {
    let event = OrderPlaced::new(7);
    mediator.publish(&event).await
}

fn main() {}
