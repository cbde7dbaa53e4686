//! How a program that does not write with sqlx records deliveries in its own transaction: by the one statement of
//! `mediator_outbox::sql`. Workers stay as they are.

pub mod sea_orm;
pub mod tokio_postgres;

use mediator_core::durable::DurableEvent;
use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

/// A customer has placed an order.
#[event(name = "orders.placed", key = order_id)]
#[derive(Debug, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: i64,
}

/// The names of the durable handlers of an event.
pub fn handlers<E: DurableEvent>(mediator: &Mediator) -> Vec<&'static str> {
    let handlers = mediator.durable_handlers().iter();
    handlers.filter(|handler| handler.event_name() == E::NAME).map(|handler| handler.name()).collect()
}
