//! Stand-ins that are none, and for what handles something else.

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {}

#[event]
struct OrderCancelled {}

struct SendEmail;

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

struct Nothing;

fn main() {
    let _ = Mediator::builder().replace::<OrderPlaced, SendEmail>(Nothing);
    let _ = Mediator::builder().replace::<OrderCancelled, SendEmail>(|_: &OrderCancelled| ());
    let _ = Mediator::builder().replace::<OrderPlaced, SendEmail>(|_: &OrderCancelled| ());
    let _ = Mediator::builder().replace::<OrderPlaced, SendEmail>(|_: &OrderPlaced| 5);
    let _ = Mediator::builder().failing::<OrderPlaced, SendEmail>(5);
    let _ = Mediator::builder().bind_handler::<OrderPlaced, _>(Nothing);
}
