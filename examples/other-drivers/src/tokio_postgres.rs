//! tokio-postgres.

use std::error::Error;
use std::time::SystemTime;

use mediator_core::durable::DurableEvent;
use mediator_core::prelude::*;
use mediator_outbox::sql::{POSTGRES_ANNOUNCE, POSTGRES_RECORD};
use serde::Serialize;
use tokio_postgres::{Client, GenericClient};

use crate::{OrderPlaced, handlers};

/// Saves an order, and records its event in the same transaction.
///
/// # Errors
///
/// When the database fails; then neither is saved.
pub async fn place_order(client: &mut Client, mediator: &Mediator, order_id: i64) -> Result<(), Box<dyn Error>> {
    let tx = client.transaction().await?;
    tx.execute("INSERT INTO orders (id) VALUES ($1)", &[&order_id]).await?;
    record(&tx, mediator, &OrderPlaced::new(order_id)).await?;
    tx.commit().await?;
    // Without it, workers find the event within a second.
    client.execute(POSTGRES_ANNOUNCE, &[]).await?;
    Ok(())
}

/// Records an event through a transaction of tokio-postgres.
///
/// # Errors
///
/// When the database fails.
pub async fn record<E: Event + DurableEvent + Serialize>(
    tx: &impl GenericClient,
    mediator: &Mediator,
    event: &E,
) -> Result<(), Box<dyn Error>> {
    let version = i32::try_from(E::VERSION)?;
    let (no_headers, received) = (None::<String>, false);
    let (due_at, due_in_seconds) = (None::<SystemTime>, 0.0_f64);
    tx.execute(
        POSTGRES_RECORD,
        &[
            &event.event_id().as_uuid(),
            &E::NAME,
            &version,
            &event.key(),
            &serde_json::to_string(event)?,
            &no_headers,
            &received,
            &handlers::<E>(mediator),
            &due_at,
            &due_in_seconds,
        ],
    )
    .await?;
    Ok(())
}
