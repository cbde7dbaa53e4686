//! One handler after another.

use crate::event_publisher::{Kind, Strategy};
use crate::{Deliveries, EventPublisher, PublishError};

/// Runs the handlers one after another, in order; the first failure stops.
///
/// This is the default. After a failure the later handlers do not start; what earlier ones did is
/// not undone. A publish allocates nothing, pending handlers included, unless a handler fails or
/// its future is larger than 128 bytes. With [`publish_with`](crate::Mediator::publish_with), more
/// than 32 handlers cost one allocation.
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
/// let builder = Mediator::builder().without_discovery().bind::<OrderPlaced, first>().bind::<OrderPlaced, second>();
/// let mediator = builder.event_publisher(SequentialEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.not_run().len(), 1);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialEventPublisher;

// For `publish_with` and strategies that pass on to this one. A mediator that has it as its own does
// the same in less time: see `dispatch::Publish`.
impl EventPublisher for SequentialEventPublisher {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        for delivery in deliveries.iter() {
            if let Err(failure) = delivery.deliver().await {
                return deliveries.finish([failure]);
            }
        }
        Ok(())
    }

    fn into_strategy(self) -> Strategy {
        Strategy(Kind::Sequential)
    }
}
