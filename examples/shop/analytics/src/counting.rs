//! Sales and cancellations, written into the transaction of the order.

use mediator_core::prelude::*;
use shop_events::{OrderCancelled, OrderPlaced, Tenant};
use sqlx::SqliteConnection;

#[event_handler]
async fn count_sale(event: &OrderPlaced, tx: &mut SqliteConnection, tenant: &Tenant) -> sqlx::Result<()> {
    add(tx, tenant, event.total_cents).await
}

#[event_handler]
async fn count_cancellation(event: &OrderCancelled, tx: &mut SqliteConnection, tenant: &Tenant) -> sqlx::Result<()> {
    add(tx, tenant, -event.total_cents).await
}

async fn add(db: &mut SqliteConnection, tenant: &Tenant, cents: i64) -> sqlx::Result<()> {
    let add = "INSERT INTO sales (tenant, cents) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET cents = cents + excluded.cents";
    sqlx::query(add).bind(&tenant.0).bind(cents).execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    // A function stays a function: to test what it does, no mediator is needed.
    #[tokio::test]
    async fn a_cancelled_order_is_no_sale() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        crate::create_tables(&mut db).await.unwrap();
        let tenant = Tenant("acme".into());
        let placed = OrderPlaced::new(7, "ada@example.com".into(), 1_250);
        count_sale(&placed, &mut db, &tenant).await.unwrap();
        assert_eq!(crate::sales(&crate::Sales, &mut db, &tenant).await.unwrap(), 1_250);
        let cancelled = OrderCancelled::new(7, "ada@example.com".into(), 1_250);
        count_cancellation(&cancelled, &mut db, &tenant).await.unwrap();
        assert_eq!(crate::sales(&crate::Sales, &mut db, &tenant).await.unwrap(), 0);
    }
}
