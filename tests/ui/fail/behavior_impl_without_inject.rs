use mediator_core::prelude::*;

struct Timing;

#[behavior]
impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

fn main() {}
