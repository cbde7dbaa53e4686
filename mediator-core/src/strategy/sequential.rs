//! One handler after another.

use std::sync::Arc;

use super::deliveries::Deliveries;
use super::event_publisher::{AnyStrategy, EventPublisher};
use crate::dispatch::{RunInOrder, Strategy};
use crate::errors::publish_error::PublishError;

/// Runs the handlers one after another, in order; the first failure stops.
///
/// This is the default. After a failure the later handlers do not start; what earlier ones did is
/// not undone. A publish allocates nothing, pending handlers included, unless a handler fails or
/// its future is larger than 128 bytes.
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
/// fn second(_event: &OrderPlaced) {}
///
/// let builder = Mediator::builder().without_discovery().bind_fn(first).bind_fn(second);
/// let mediator = builder.event_publisher(SequentialEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.not_run().len(), 1);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialEventPublisher;

impl EventPublisher for SequentialEventPublisher {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        RunInOrder::new(deliveries.into_dispatch())
    }

    fn __erase(self: Arc<Self>) -> AnyStrategy {
        AnyStrategy(Strategy::InOrder)
    }
}
