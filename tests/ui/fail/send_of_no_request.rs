use mediator_core::prelude::*;

struct Plain;

#[event]
struct OrderPlaced;

#[request]
struct PlaceOrder;

async fn send(mediator: &Mediator, sender: &Sender) -> Result<(), SendError> {
    mediator.send(Plain).await?;
    sender.send(OrderPlaced::new()).await?;
    sender.with(&1_u8).send(&PlaceOrder).await?;
    mediator.send("place order").await
}

fn main() {}
