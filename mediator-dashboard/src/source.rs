//! An outbox, whatever its store.

use mediator_outbox::store::Store;
use mediator_outbox::{Attempts, Deliveries, Delivery, DeliveryId, Outbox, State, Stats, StoreError};
use serde::{Deserialize, Serialize};

use crate::BoxFuture;

/// What the page reads of an outbox and does with it.
pub(crate) trait Source: Send + Sync {
    fn attempts(&self) -> Attempts;
    fn stats(&self) -> BoxFuture<Result<Stats, StoreError>>;
    fn list(&self, wanted: Wanted) -> BoxFuture<Result<Vec<Delivery>, StoreError>>;
    /// How many deliveries were changed.
    fn change(&self, which: Which, change: Change) -> BoxFuture<Result<u64, StoreError>>;
}

/// Which deliveries to list; the query of `api/deliveries`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) state: Option<State>,
    pub(crate) handler: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) id: Option<DeliveryId>,
    pub(crate) after: Option<DeliveryId>,
    pub(crate) limit: Option<u32>,
}

/// The dead deliveries to be changed.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    One(DeliveryId),
    ToHandler(String),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Retry,
    Discard,
}

/// As many deliveries as one request may ask for.
const MOST: u32 = 1_000;

impl<S: Store> Source for Outbox<S> {
    fn attempts(&self) -> Attempts {
        self.attempts()
    }

    fn stats(&self) -> BoxFuture<Result<Stats, StoreError>> {
        let outbox = self.clone();
        Box::pin(async move { outbox.stats().await })
    }

    fn list(&self, wanted: Wanted) -> BoxFuture<Result<Vec<Delivery>, StoreError>> {
        let deliveries = listed(self.deliveries(), wanted);
        Box::pin(async move { deliveries.list().await })
    }

    fn change(&self, which: Which, change: Change) -> BoxFuture<Result<u64, StoreError>> {
        let deliveries = match which {
            Which::One(delivery) => self.deliveries().with_id(delivery),
            Which::ToHandler(handler) => self.deliveries().to_handler(handler),
        };
        Box::pin(async move {
            match change {
                Change::Retry => deliveries.retry().await,
                Change::Discard => deliveries.discard().await,
            }
        })
    }
}

fn listed<S: Store>(mut deliveries: Deliveries<S>, wanted: Wanted) -> Deliveries<S> {
    let Wanted { state, handler, event, id, after, limit } = wanted;
    if let Some(state) = state {
        deliveries = deliveries.in_state(state);
    }
    if let Some(handler) = handler {
        deliveries = deliveries.to_handler(handler);
    }
    if let Some(event) = event {
        deliveries = deliveries.of_event(event);
    }
    if let Some(id) = id {
        deliveries = deliveries.with_id(id);
    }
    if let Some(after) = after {
        deliveries = deliveries.after(after);
    }
    deliveries.limit(limit.unwrap_or(100).min(MOST))
}
