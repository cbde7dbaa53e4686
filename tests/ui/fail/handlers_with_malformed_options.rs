use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    #[event_handler(crate = ::bus)]
    async fn says_where_the_runtime_is(&self, _event: &OrderPlaced) {}

    #[event_handler(order = 1)]
    #[event_handler(manual)]
    async fn twice(&self, _event: &OrderPlaced) {}

    #[event_handler = "first"]
    async fn no_parentheses(&self, _event: &OrderPlaced) {}

    #[event_handler(manual = true)]
    async fn with_a_value(&self, _event: &OrderPlaced) {}

    #[event_handler(OrderShipped)]
    async fn of_another_event(&self, _event: &OrderPlaced) {}
}

#[event]
struct OrderShipped {}

#[event_handlers(order = 1)]
impl Triage {
    async fn placed(&self, _event: &OrderPlaced) {}
}

fn main() {}
