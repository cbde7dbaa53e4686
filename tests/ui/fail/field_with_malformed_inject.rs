use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct SendEmail {
    #[inject(defualt)]
    a: u32,
    #[inject(default = 3)]
    b: u32,
    #[inject(with)]
    c: u32,
    #[inject]
    d: u32,
    #[inject(default, with = 3)]
    e: u32,
}

fn wire() -> Result<Mediator, BuildError> {
    Mediator::builder().bind::<OrderPlaced, SendEmail>().build()
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {}
}

fn main() {}
