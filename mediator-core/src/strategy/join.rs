//! All handlers at once, to their end.

use std::sync::Arc;

use super::deliveries::Deliveries;
use super::event_publisher::{AnyStrategy, EventPublisher};
use super::group::run_at_once;
use crate::dispatch::Strategy;
use crate::errors::publish_error::PublishError;

/// Runs the handlers concurrently inside the publishing task, all of them to their end; nothing is spawned.
///
/// Every failure is reported, in the order of the handlers, and stops no other handler. For what it allocates see
/// [`GroupEventPublisher`](crate::GroupEventPublisher).
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
/// async fn second(_event: &OrderPlaced) {
///     println!("runs to its end");
/// }
///
/// let builder = Mediator::builder().without_discovery().bind_fn(first).bind_fn(second);
/// let mediator = builder.event_publisher(JoinEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert!(error.cancelled().is_empty() && error.not_run().is_empty());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JoinEventPublisher;

impl EventPublisher for JoinEventPublisher {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        run_at_once(deliveries, false)
    }

    fn is_concurrent(&self) -> bool {
        true
    }

    fn __erase(self: Arc<Self>) -> AnyStrategy {
        AnyStrategy(Strategy::AtOnce { stop_on_failure: false })
    }
}
