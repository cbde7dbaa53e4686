//! What a durable handler can ask about its delivery.

use std::time::SystemTime;

use crate::event::id::EventId;

/// What is known of the delivery that a durable handler is called for; borrowed as `&DeliveryInfo`.
///
/// ```standalone_crate
/// use mediator_core::durable::DeliveryInfo;
/// use mediator_core::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[event(name = "orders.placed")]
/// #[derive(Serialize, Deserialize)]
/// struct OrderPlaced { order_id: String }
///
/// #[event_handler(durable, name = "billing.charge")]
/// async fn charge(event: &OrderPlaced, delivery: &DeliveryInfo) {
///     println!("POST /charges, Idempotency-Key: {}, attempt {}", delivery.idempotency_key(), delivery.attempt());
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct DeliveryInfo {
    attempt: u32,
    idempotency_key: String,
    recorded_at: SystemTime,
    correlation_id: Option<EventId>,
}

impl DeliveryInfo {
    /// What a worker knows: the number of this attempt from 1, what is the same in each attempt of one delivery and different in
    /// each delivery, and when it was recorded.
    #[must_use]
    pub fn new(attempt: u32, idempotency_key: String, recorded_at: SystemTime) -> Self {
        Self { attempt, idempotency_key, recorded_at, correlation_id: None }
    }

    /// With the [correlation id](crate::Publisher::correlation_id) of the publish that recorded it.
    #[must_use]
    pub fn with_correlation_id(self, id: Option<EventId>) -> Self {
        Self { correlation_id: id, ..self }
    }

    /// The number of this attempt, from 1. An attempt that a crash cut off counts.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The same in each attempt, different for each delivery: what to send to a service that knows idempotency keys.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// When the delivery was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> SystemTime {
        self.recorded_at
    }

    pub(crate) fn correlation_id(&self) -> Option<EventId> {
        self.correlation_id
    }
}
