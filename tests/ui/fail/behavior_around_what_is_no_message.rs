use mediator_core::prelude::*;

struct Plain;

#[derive(Inject)]
struct Audit;

#[behavior]
impl Behavior<Plain> for Audit {
    async fn handle(&self, _call: Call<'_, Plain>) -> Outcome<Plain> {
        Ok(())
    }
}

struct Unregistered;

impl Behavior<Plain> for Unregistered {
    async fn handle(&self, _call: Call<'_, Plain>) -> Outcome<Plain> {
        Ok(())
    }
}

fn add(builder: mediator_core::MediatorBuilder) {
    builder.behavior(Unregistered);
}

fn main() {}
