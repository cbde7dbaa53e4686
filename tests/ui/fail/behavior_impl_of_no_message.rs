use mediator_core::prelude::*;

struct Plain;

#[derive(Inject)]
struct Audit;

#[behavior]
impl Behavior<Plain> for Audit {
    async fn handle(&self, _call: Call<'_, Plain>) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
