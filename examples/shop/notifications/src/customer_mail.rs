//! Mail to the customers who order and cancel.

use std::sync::Arc;

use mediator_core::prelude::*;
use shop_events::{OrderCancelled, OrderPlaced, Tenant};
use sqlx::SqliteConnection;

use crate::AddressError;
use crate::addresses::Addresses;

#[derive(Inject)]
struct CustomerMail {
    addresses: Arc<Addresses>,
}

#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("the customer gets no mail")]
    Address(#[from] AddressError),
    #[error("the mail is not queued")]
    Database(#[from] sqlx::Error),
}

// The customer comes last: what is queued here is sent if everything else went well.
#[event_handlers]
impl CustomerMail {
    #[event_handler(order = 10)]
    async fn placed(&self, event: &OrderPlaced, tx: &mut SqliteConnection, tenant: &Tenant) -> Result<(), MailError> {
        let text = format!("{} thanks you for order {}", tenant.0, event.order_id);
        self.queue(tx, &event.email, &text).await
    }

    #[event_handler(order = 10)]
    async fn cancelled(&self, event: &OrderCancelled, tx: &mut SqliteConnection) -> Result<(), MailError> {
        self.queue(tx, &event.email, &format!("order {} is cancelled", event.order_id)).await
    }
}

impl CustomerMail {
    async fn queue(&self, db: &mut SqliteConnection, recipient: &str, text: &str) -> Result<(), MailError> {
        self.addresses.check(recipient)?;
        sqlx::query("INSERT INTO mails (recipient, text) VALUES (?, ?)").bind(recipient).bind(text).execute(db).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn customers_get_mail_about_their_orders() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        crate::create_tables(&mut db).await.unwrap();
        let tenant = Tenant("acme".into());
        let mediator = Mediator::new().unwrap();
        {
            let scope = mediator.with(&mut db).with(&tenant);
            scope.publish(OrderPlaced::new(7, "ada@example.com".into(), 1_250)).await.unwrap();
            scope.publish(OrderCancelled::new(7, "ada@example.com".into(), 1_250)).await.unwrap();
        }
        let mails = crate::queued_mails(&mut db).await.unwrap();
        assert_eq!(mails, ["ada@example.com: acme thanks you for order 7", "ada@example.com: order 7 is cancelled"]);
    }
}
