//! Mail to the customers who order and cancel.

use std::sync::Arc;

use mediator_core::prelude::*;
use shop_events::{OrderCancelled, OrderPlaced};

use crate::{MailError, Mailer};

// The customer comes first: before all handlers of the default order, 0.
#[event_handler(OrderPlaced, OrderCancelled, order = -10)]
struct CustomerMail {
    mailer: Arc<dyn Mailer>,
}

impl EventHandler<OrderPlaced> for CustomerMail {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), MailError> {
        self.mailer.send(&event.email, &format!("thank you for order {}", event.order_id))
    }
}

impl EventHandler<OrderCancelled> for CustomerMail {
    async fn handle(&self, event: &OrderCancelled) -> Result<(), MailError> {
        self.mailer.send(&event.email, &format!("order {} is cancelled", event.order_id))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::executor::block_on;

    use super::*;

    #[derive(Default)]
    struct Outbox(Mutex<Vec<String>>);

    impl Mailer for Outbox {
        fn send(&self, to: &str, text: &str) -> Result<(), MailError> {
            self.0.lock().unwrap().push(format!("{to}: {text}"));
            Ok(())
        }
    }

    #[test]
    fn customers_get_mail_about_their_orders() {
        let outbox = Arc::<Outbox>::default();
        let mediator = Mediator::builder().provide(outbox.clone() as Arc<dyn Mailer>).build().unwrap();

        block_on(mediator.publish(OrderPlaced::new(7, "ada@example.com".into(), 1_250))).unwrap();
        block_on(mediator.publish(OrderCancelled::new(7, "ada@example.com".into(), 1_250))).unwrap();

        let sent = outbox.0.lock().unwrap();
        assert_eq!(*sent, ["ada@example.com: thank you for order 7", "ada@example.com: order 7 is cancelled"]);
    }
}
