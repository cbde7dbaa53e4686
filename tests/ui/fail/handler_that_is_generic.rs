use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::sync::Arc;

trait Mailer: Send + Sync + 'static {}

#[event_handler(OrderPlaced)]
struct SendEmail<M: Mailer> {
    mailer: Arc<M>,
}

impl<M: Mailer> EventHandler<OrderPlaced> for SendEmail<M> {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[derive(Inject)]
struct Audit<M> {
    mailer: Arc<M>,
}

#[event_handler]
impl<M: Mailer> EventHandler<OrderPlaced> for Audit<M> {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
