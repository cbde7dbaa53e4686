//! All handlers at once; a failure stops the others.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use super::deliveries::Deliveries;
use super::event_publisher::{AnyStrategy, EventPublisher};
use crate::dispatch::{Group, Slots, Strategy};
use crate::errors::publish_error::PublishError;

/// Runs the handlers concurrently inside the publishing task; nothing is spawned.
///
/// Every handler is started, in order, even if an earlier one failed at once. Once one has failed
/// and the current pass over the handlers is done, the unfinished ones are dropped. Every failure
/// that happened is reported, in the order of the handlers; that includes a handler that panics
/// while it is dropped.
///
/// A publish allocates nothing as long as one handler at most is pending while others start, and
/// one block of memory for the futures of all further handlers otherwise. More than 8 handlers
/// that stay pending for several wakes get wakers of their own, one allocation each, so that a
/// wake costs the same however many others wait.
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
/// let mediator = builder.event_publisher(GroupEventPublisher).build()?;
/// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
/// assert_eq!(error.not_run().len(), 0);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupEventPublisher;

impl EventPublisher for GroupEventPublisher {
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
        run_at_once(deliveries, true)
    }

    fn is_concurrent(&self) -> bool {
        true
    }

    fn __erase(self: Arc<Self>) -> AnyStrategy {
        AnyStrategy(Strategy::AtOnce { stop_on_failure: true })
    }
}

pub(super) async fn run_at_once(deliveries: Deliveries<'_>, stop_on_failure: bool) -> Result<(), PublishError> {
    let dispatch = deliveries.into_dispatch();
    dispatch.run_at_once()?;
    let mut slots = pin!(Slots::empty());
    let mut group = Group::new(dispatch, stop_on_failure);
    poll_fn(|cx| group.poll(slots.as_mut(), cx)).await
}
