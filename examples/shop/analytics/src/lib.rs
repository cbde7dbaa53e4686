//! Analytics: what was sold, counted from events, in a table of its own.

mod counting;

use mediator_core::prelude::*;
use shop_events::Tenant;
use sqlx::SqliteConnection;

/// Makes the table of this module, if there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn create_tables(db: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("CREATE TABLE IF NOT EXISTS sales (tenant TEXT PRIMARY KEY, cents INTEGER NOT NULL)")
        .execute(db)
        .await?;
    Ok(())
}

/// Asks what a tenant has sold, in cents and without what was cancelled.
#[request(i64, error = anyhow::Error)]
#[derive(Debug)]
pub struct Sales;

#[request_handler]
async fn sales(_request: &Sales, db: &mut SqliteConnection, tenant: &Tenant) -> anyhow::Result<i64> {
    let cents =
        sqlx::query_scalar("SELECT cents FROM sales WHERE tenant = ?").bind(&tenant.0).fetch_optional(db).await?;
    Ok(cents.unwrap_or(0))
}
