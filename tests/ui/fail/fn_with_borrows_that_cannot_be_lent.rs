use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Shared(std::cell::Cell<u8>);
struct Moved(std::rc::Rc<u8>);

#[event_handler]
async fn reads(_event: &OrderPlaced, _shared: &Shared) {}

#[event_handler]
async fn writes(_event: &OrderPlaced, _moved: &mut Moved) {}

fn main() {}
