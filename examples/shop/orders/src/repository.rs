//! Orders in the table of this module.

use shop_events::Tenant;
use sqlx::SqliteConnection;

use crate::{Order, Status};

/// Makes the table of this module, if there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn create_tables(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let orders = "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, \
                  email TEXT NOT NULL, total_cents INTEGER NOT NULL, status TEXT NOT NULL)";
    sqlx::query(orders).execute(db).await?;
    Ok(())
}

pub(crate) async fn next_id(db: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM orders").fetch_one(db).await
}

/// The tenant's order with this number.
pub(crate) async fn find(db: &mut SqliteConnection, tenant: &Tenant, id: i64) -> sqlx::Result<Option<Order>> {
    let find = "SELECT email, total_cents, status FROM orders WHERE id = ? AND tenant = ?";
    let row: Option<(String, i64, String)> = sqlx::query_as(find).bind(id).bind(&tenant.0).fetch_optional(db).await?;
    let Some((email, total_cents, status)) = row else { return Ok(None) };
    let status = Status::from_db(&status).ok_or_else(|| sqlx::Error::Decode(format!("status `{status}`").into()))?;
    Ok(Some(Order::restore(id, email, total_cents, status)))
}

pub(crate) async fn save(db: &mut SqliteConnection, tenant: &Tenant, order: &Order) -> sqlx::Result<()> {
    let save = "INSERT INTO orders (id, tenant, email, total_cents, status) VALUES (?, ?, ?, ?, ?) \
                ON CONFLICT (id) DO UPDATE SET status = excluded.status";
    let save = sqlx::query(save).bind(order.id()).bind(&tenant.0).bind(order.email()).bind(order.total_cents());
    save.bind(order.status().as_str()).execute(db).await?;
    Ok(())
}
