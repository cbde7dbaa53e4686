use mediator_core::prelude::*;

struct Plain;

#[derive(Inject)]
struct Audit;

#[behavior]
impl Behavior<Plain> for Audit {
    async fn handle(&self, mut call: Call<'_, Plain>) -> Outcome<Plain> {
        call.run().await
    }
}

fn main() {}
