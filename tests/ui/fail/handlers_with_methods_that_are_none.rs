use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[request(u64)]
struct CountOrders;

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    async fn without_self(_event: &OrderPlaced) {}

    async fn exclusive(&mut self, _event: &OrderPlaced) {}

    async fn without_event(&self) {}

    async fn injected(&self, _event: &OrderPlaced, _limit: std::sync::Arc<u32>) {}

    #[request_handler]
    async fn of_a_request(&self, _request: &CountOrders) -> u64 {
        1
    }

    #[cfg_attr(debug_assertions, event_handler(order = 3))]
    async fn under_a_condition(&self, _event: &OrderPlaced) {}
}

#[request_handlers]
impl Triage {
    #[event_handler(order = 3)]
    async fn of_an_event(&self, _event: &OrderPlaced) {}
}

fn main() {}
