//! Notifications: mail to customers, caused by events and queued in a table of this module. The handlers are private, and
//! so is the service that they share.

mod addresses;
mod customer_mail;

use sqlx::SqliteConnection;

pub use crate::addresses::AddressError;

/// Makes the table of this module, if there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn create_tables(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let mails = "CREATE TABLE IF NOT EXISTS mails (recipient TEXT NOT NULL, text TEXT NOT NULL)";
    sqlx::query(mails).execute(db).await?;
    Ok(())
}

/// The mails that are to be sent, as `recipient: text`.
///
/// # Errors
///
/// When the database fails.
pub async fn queued_mails(db: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT recipient || ': ' || text FROM mails ORDER BY rowid").fetch_all(db).await
}
