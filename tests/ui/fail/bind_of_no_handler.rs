use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct SendEmail;

fn wire() -> Result<Mediator, BuildError> {
    Mediator::builder().bind::<OrderPlaced, SendEmail>().build()
}

fn main() {}
