use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    async fn takes_the_event_by_value(&self, _event: OrderPlaced) {}

    unsafe fn is_unsafe(&self, _event: &OrderPlaced) {}

    fn is_generic<T>(&self, _event: &OrderPlaced, _limit: &T) {}

    fn injects(&self, _event: &OrderPlaced, #[inject(default)] _limit: u32) {}

    fn changes_itself(self: &mut Self, _event: &OrderPlaced) {}

    #[cfg(any())]
    fn is_configured_away(self, event: OrderPlaced) {}
}

struct Cache<T>(T);

#[event_handlers]
impl<T> Cache<T> {
    async fn placed(&self, _event: &OrderPlaced) {}
}

macro_rules! methods {
    () => {
        async fn unseen(&self, _event: &OrderPlaced) {}
    };
}

#[event_handlers]
impl Triage {
    methods!();
}

fn main() {}
