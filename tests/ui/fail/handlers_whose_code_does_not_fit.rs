use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

use std::cell::Cell;
use std::rc::Rc;

#[derive(Inject)]
struct Triage;

#[event_handlers]
impl Triage {
    fn returns_something_else(&self, _event: &OrderPlaced) -> usize {
        1
    }

    fn borrows_what_threads_do_not_share(&self, _event: &OrderPlaced, _limit: &Cell<u32>) {}

    async fn is_not_send(&self, _event: &OrderPlaced) {
        let count = Rc::new(1);
        std::future::ready(()).await;
        drop(count);
    }
}

fn main() {}
