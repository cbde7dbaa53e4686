use mediator_core::prelude::*;
use mediator_core::service;
use std::sync::{Arc, Mutex};

#[event]
struct OrderPlaced;

#[request]
struct Tidy;

#[event_handler]
async fn function(_event: &OrderPlaced, _mailer: Arc<MailerOfFunction>, _clock: Option<Arc<ClockOfFunction>>) {}

#[request_handler]
fn tidy(_request: &Tidy, _mailer: Arc<dyn MailerOfRequest>) {}

#[event_handler(OrderPlaced)]
struct Handler {
    mailer: Arc<MailerOfHandler>,
    #[inject(default)]
    sent: Mutex<Vec<SentByHandler>>,
}

impl EventHandler<OrderPlaced> for Handler {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[derive(Inject)]
struct Derived {
    clock: Option<Arc<ClockOfDerived>>,
}

#[service]
struct Service(Arc<PartOfService>);

#[service]
fn number(_part: Arc<PartOfNumber>) -> u8 {
    1
}

fn main() {}
