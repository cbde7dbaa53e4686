use std::sync::Arc;

use mediator_core::prelude::*;

trait Clock: Send + Sync + 'static {}

#[behavior]
struct Timing<C: Clock> {
    clock: Arc<C>,
}

impl<C: Clock> Behavior for Timing<C> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[derive(Inject)]
struct Audit<C> {
    clock: Arc<C>,
}

#[behavior]
impl<C: Clock> Behavior for Audit<C> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[behavior]
struct Borrowing<'a> {
    name: &'a str,
}

#[behavior]
#[service]
struct Both<C: Clock> {
    clock: Arc<C>,
}

fn main() {}
