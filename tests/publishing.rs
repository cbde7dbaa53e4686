//! Publishing an event calls its handlers.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;

type Log = Arc<Mutex<Vec<String>>>;

#[event]
struct OrderPlaced {
    order_id: String,
}

#[event_handler(OrderPlaced)]
struct SendEmail {
    log: Log,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), std::io::Error> {
        self.log.lock().unwrap().push(format!("email for {}", event.order_id));
        Ok(())
    }
}

#[event_handler(order = -1)]
async fn reserve_stock(event: &OrderPlaced, log: Log) {
    log.lock().unwrap().push(format!("stock for {}", event.order_id));
}

#[test]
fn a_publish_calls_every_discovered_handler_in_order() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(mediator.publish(OrderPlaced::new("o-1".into()))).unwrap();
    assert_eq!(*log.lock().unwrap(), ["stock for o-1", "email for o-1"]);
}
