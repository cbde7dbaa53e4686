use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn injects(#[inject(default)] _event: &OrderPlaced) {}

#[event_handler]
async fn misspelled(#[inject(defualt)] _event: &OrderPlaced, #[inject(wiht = 3)] _limit: Option<&u32>) {}

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    async fn placed(&self, #[inject] _event: &OrderPlaced) {}

    async fn sometimes(&self, #[cfg(all())] _event: &OrderPlaced, #[inject(default)] _limit: &mut u32) {}

    async fn without_self(_event: &OrderPlaced, #[inject(default)] _limit: u32) {}
}

fn main() {}
