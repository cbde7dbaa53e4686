use mediator_core::prelude::*;

#[event_handler]
async fn of_notifications(_event: &dyn Notification) {}

#[event_handler]
fn of_events(_event: &dyn Event) {}

#[event_handler(dyn Notification)]
struct Audit;

#[derive(Inject)]
struct Log;

#[event_handler]
impl EventHandler<dyn Event> for Log {
    async fn handle(&self, _event: &dyn Event) {}
}

fn main() {}
