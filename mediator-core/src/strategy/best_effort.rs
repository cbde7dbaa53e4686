//! One handler after another, all of them.

use super::deliveries::Deliveries;
use super::event_publisher::EventPublisher;
use crate::errors::publish_error::PublishError;

/// Runs the handlers one after another, in order, all of them; every failure is reported.
///
/// As a mediator's strategy it allocates one future per publish that has handlers.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// fn first(_event: &OrderPlaced) -> Result<(), &'static str> {
///     Err("no luck")
/// }
///
/// #[event_handler]
/// fn second(_event: &OrderPlaced) -> Result<(), &'static str> {
///     Err("nor here")
/// }
///
/// let builder = Mediator::builder().without_discovery().bind_fn(first).bind_fn(second);
/// let mediator = builder.event_publisher(BestEffortEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.failures().len(), 2);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BestEffortEventPublisher;

impl EventPublisher for BestEffortEventPublisher {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter() {
            failures.extend(delivery.deliver().await.err());
        }
        deliveries.finish(failures)
    }
}
