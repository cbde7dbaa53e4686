//! A bus within the process.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mediator_core::Mediator;
use mediator_core::durable::{ExternalBus, ExternalEvent};

use crate::error::StoreError;
use crate::external::Received;
use crate::outbox::Outbox;
use crate::store::Store;

/// A bus within the process, for tests of several services: it keeps what they publish, and each of them
/// [receives](Self::receive) what the others have published, in order.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_outbox::{InMemoryOutbox, InProcessBus, Received};
/// use serde::{Deserialize, Serialize};
///
/// #[event(name = "orders.placed", external)]
/// #[derive(Serialize, Deserialize)]
/// struct OrderPlaced { order_id: String }
///
/// #[event_handler(durable, manual, name = "billing.invoice")]
/// async fn write_invoice(event: &OrderPlaced) {
///     println!("an invoice for {}", event.order_id);
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (shop_bus, shop_outbox) = (InProcessBus::new("shop"), InMemoryOutbox::new());
/// let (billing_bus, billing_outbox) = (shop_bus.service("billing"), InMemoryOutbox::new());
/// let shop = Mediator::builder().outbox(shop_outbox.clone()).external(shop_bus).build()?;
/// let billing = Mediator::builder().outbox(billing_outbox.clone()).external(billing_bus.clone());
/// let billing = billing.bind_fn(write_invoice).build()?;
///
/// shop.publish(OrderPlaced::new("o-1".into())).await?;
/// assert_eq!(shop_outbox.worker(&shop).drain().await?.done, 1, "it is on the bus");
/// assert_eq!(billing_bus.receive(&billing, &billing_outbox).await?, [Received::Recorded]);
/// assert_eq!(billing_outbox.worker(&billing).drain().await?.done, 1, "the invoice is written");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct InProcessBus {
    service: Arc<str>,
    /// All events of all services.
    events: Arc<Mutex<Vec<ExternalEvent>>>,
    /// How many of them this service has received.
    received: Arc<AtomicUsize>,
}

impl InProcessBus {
    /// An empty bus, for a service of this name.
    #[must_use]
    pub fn new(service: &str) -> Self {
        Self { service: service.into(), events: Arc::default(), received: Arc::default() }
    }

    /// The same bus, for another service.
    #[must_use]
    pub fn service(&self, name: &str) -> Self {
        Self { service: name.into(), events: self.events.clone(), received: Arc::default() }
    }

    /// Records what the other services have published since, for the durable handlers of `mediator`.
    ///
    /// # Errors
    ///
    /// When the outbox cannot record; they are received again then.
    pub async fn receive<S: Store>(
        &self,
        mediator: &Mediator,
        outbox: &Outbox<S>,
    ) -> Result<Vec<Received>, StoreError> {
        let start = self.received.load(Ordering::Relaxed);
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner)[start..].to_vec();
        let end = start + events.len();
        events.retain(|event| event.source.as_deref() != Some(&self.service));
        let received = outbox.receive(mediator, &events).await?;
        self.received.fetch_max(end, Ordering::Relaxed);
        Ok(received)
    }
}

impl ExternalBus for InProcessBus {
    fn name(&self) -> &'static str {
        "in-process"
    }

    async fn publish(&self, event: &ExternalEvent) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut event = event.clone();
        event.source = Some(self.service.to_string());
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        Ok(())
    }
}
