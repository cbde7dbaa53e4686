//! Mail to the customers who order and cancel: recorded in the transaction of the order, sent after the commit.

use std::io;
use std::sync::Arc;

use mediator_core::DeliveryInfo;
use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};
use shop_events::{OrderCancelled, OrderPlaced, Tenant};

use crate::addresses::Addresses;
use crate::{AddressError, Mailer};

/// A mail that is to be sent; has what the worker cannot borrow, such as the tenant's name.
#[event(name = "notifications.mail_written")]
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MailWritten {
    recipient: String,
    text: String,
}

/// Runs at least once; the key tells the mail server what it has already.
#[event_handler(durable, name = "notifications.send_mail")]
async fn send_mail(mail: &MailWritten, mailer: Arc<dyn Mailer>, delivery: &DeliveryInfo) -> io::Result<()> {
    mailer.send(delivery.idempotency_key(), &mail.recipient, &mail.text)
}

#[derive(Inject)]
struct CustomerMail {
    addresses: Arc<Addresses>,
}

#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("the customer gets no mail")]
    Address(#[from] AddressError),
    #[error("the mail is not recorded")]
    Publish(#[from] PublishError),
}

// They borrow no connection: so the mail is recorded through the one that the order's publish lends.
#[event_handlers]
impl CustomerMail {
    #[event_handler(order = 10)]
    async fn placed(&self, event: &OrderPlaced, tenant: &Tenant, publisher: &Publisher) -> Result<(), MailError> {
        let text = format!("{} thanks you for order {}", tenant.0, event.order_id);
        self.write(&event.email, text, publisher).await
    }

    #[event_handler(order = 10)]
    async fn cancelled(&self, event: &OrderCancelled, publisher: &Publisher) -> Result<(), MailError> {
        self.write(&event.email, format!("order {} is cancelled", event.order_id), publisher).await
    }
}

impl CustomerMail {
    async fn write(&self, recipient: &str, text: String, publisher: &Publisher) -> Result<(), MailError> {
        self.addresses.check(recipient)?;
        Ok(publisher.publish(MailWritten::new(recipient.to_owned(), text)).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use mediator_outbox::InMemoryOutbox;

    use super::*;

    #[derive(Default)]
    struct Sent(Mutex<Vec<String>>);

    impl Mailer for Sent {
        fn send(&self, _key: &str, recipient: &str, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push(format!("{recipient}: {text}"));
            Ok(())
        }
    }

    #[tokio::test]
    async fn customers_get_mail_about_their_orders() {
        let (sent, outbox) = (Arc::new(Sent::default()), InMemoryOutbox::new());
        let mailer: Arc<dyn Mailer> = sent.clone();
        let mediator = Mediator::builder().provide(mailer).outbox(outbox.clone()).build().unwrap();
        let tenant = Tenant("acme".into());
        let scope = mediator.with(&tenant);
        scope.publish(OrderPlaced::new(7, "ada@example.com".into(), 1_250)).await.unwrap();
        scope.publish(OrderCancelled::new(7, "ada@example.com".into(), 1_250)).await.unwrap();
        assert!(sent.0.lock().unwrap().is_empty());

        assert_eq!(outbox.worker(&mediator).concurrency(1).drain().await.unwrap().done, 2);
        let mails = ["ada@example.com: acme thanks you for order 7", "ada@example.com: order 7 is cancelled"];
        assert_eq!(*sent.0.lock().unwrap(), mails);
    }
}
