use mediator_core::{Message, prelude::*};

struct Plain;

#[behavior(Plain)]
struct Audit;

impl<M: Message> Behavior<M> for Audit {
    async fn handle(&self, mut call: Call<'_, M>) -> Outcome<M> {
        call.run().await
    }
}

#[behavior(Missing)]
struct Timing;

fn main() {}
