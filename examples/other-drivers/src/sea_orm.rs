//! SeaORM, on SQLite and PostgreSQL.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use mediator_core::durable::DurableEvent;
use mediator_core::prelude::*;
use mediator_outbox::sql::{POSTGRES_RECORD, SQLITE_RECORD};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement, TransactionTrait, Value,
};
use serde::Serialize;

use crate::{OrderPlaced, handlers};

/// Saves an order, and records its event in the same transaction.
///
/// # Errors
///
/// When the database fails; then neither is saved.
pub async fn place_order(db: &DatabaseConnection, mediator: &Mediator, order_id: i64) -> Result<(), Box<dyn Error>> {
    let tx = db.begin().await?;
    let insert = match tx.get_database_backend() {
        DbBackend::Sqlite => "INSERT INTO orders (id) VALUES (?1)",
        _ => "INSERT INTO orders (id) VALUES ($1)",
    };
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), insert, [order_id.into()])).await?;
    record(&tx, mediator, &OrderPlaced::new(order_id)).await?;
    tx.commit().await?;
    Ok(())
}

/// Records an event through a transaction of SeaORM.
///
/// # Errors
///
/// When the database fails, or is another one.
pub async fn record<E: Event + DurableEvent + Serialize>(
    tx: &DatabaseTransaction,
    mediator: &Mediator,
    event: &E,
) -> Result<(), Box<dyn Error>> {
    let backend = tx.get_database_backend();
    let (sql, values) = match backend {
        DbBackend::Sqlite => (SQLITE_RECORD, sqlite_values(mediator, event)?),
        DbBackend::Postgres => (POSTGRES_RECORD, postgres_values(mediator, event)?),
        other => return Err(format!("there is no outbox for {other:?}").into()),
    };
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

fn sqlite_values<E: Event + DurableEvent + Serialize>(
    mediator: &Mediator,
    event: &E,
) -> Result<[Value; 10], Box<dyn Error>> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    Ok([
        event.event_id().as_uuid().as_bytes().to_vec().into(),
        E::NAME.into(),
        i64::from(E::VERSION).into(),
        event.key().into(),
        serde_json::to_string(event)?.into(),
        None::<String>.into(), // no headers
        0_i64.into(),          // not received
        now.into(),            // recorded
        now.into(),            // due
        serde_json::to_string(&handlers::<E>(mediator))?.into(),
    ])
}

/// The statement casts what comes as text.
fn postgres_values<E: Event + DurableEvent + Serialize>(
    mediator: &Mediator,
    event: &E,
) -> Result<[Value; 10], Box<dyn Error>> {
    let handlers = handlers::<E>(mediator).iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    Ok([
        event.event_id().to_string().into(),
        E::NAME.into(),
        i32::try_from(E::VERSION)?.into(),
        event.key().into(),
        serde_json::to_string(event)?.into(),
        None::<String>.into(), // no headers
        false.into(),          // not received
        format!("{{{handlers}}}").into(),
        None::<String>.into(), // due
        0.0_f64.into(),        // seconds from now
    ])
}
