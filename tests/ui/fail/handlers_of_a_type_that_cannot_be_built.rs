use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Triage;

#[event_handlers]
impl Triage {
    async fn placed(&self, _event: &OrderPlaced) {}

    fn counted(&self, _event: &OrderPlaced) {}
}

#[request]
struct PlaceOrder;

struct Orders;

#[request_handlers]
impl Orders {
    async fn place(&self, _request: &PlaceOrder) {}

    async fn borrow(&self, _request: &PlaceOrder, _count: &u64) {}
}

fn main() {}
