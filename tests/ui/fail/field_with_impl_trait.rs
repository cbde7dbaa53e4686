use std::sync::Arc;

use mediator_core::prelude::*;

trait Mailer: Send + Sync {
    fn send(&self) {}
}

#[event]
struct OrderPlaced {
    mailer: Arc<impl Mailer>,
}

#[event_handler(OrderPlaced)]
struct SendEmail {
    mailer: Arc<impl Mailer>,
    other: impl Mailer,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, event: &OrderPlaced) {
        event.mailer.send();
        self.mailer.send();
        self.other.send();
    }
}

#[service]
struct Outbox(Option<Arc<impl Mailer>>);

// It cannot take the type away, about which rustc complains.
#[derive(Inject)]
struct Bound(Arc<impl Mailer>);

fn main() {}
