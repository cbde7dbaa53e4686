use mediator_core::prelude::*;

struct OrderPlaced;

async fn place(mediator: &Mediator, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish("order placed").await?;
    mediator.publish(OrderPlaced).await
}

fn main() {}
