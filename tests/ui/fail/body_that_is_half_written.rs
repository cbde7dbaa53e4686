use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler]
async fn log(event: &OrderPlaced) {
    let id = ;
}

#[derive(Inject)]
struct Audit;

#[event_handler]
impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, event: &OrderPlaced) {
        let id = event.order_id +;
    }
}

fn wire() -> Result<Mediator, BuildError> {
    Mediator::builder().bind_fn(log).bind::<OrderPlaced, Audit>().build()
}

fn main() {}
