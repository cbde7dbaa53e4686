//! The trait of strategies.

use std::sync::Arc;

use super::deliveries::Deliveries;
use crate::dispatch::{BoxedRun, Dispatch, ErasedStrategy, Strategy};
use crate::errors::publish_error::PublishError;

/// A strategy: decides when the handlers of an event run, and which of their failures matter.
///
/// | strategy | behaviour |
/// |---|---|
/// | [`SequentialEventPublisher`](crate::SequentialEventPublisher) | one after another; the first failure stops; the default |
/// | [`BestEffortEventPublisher`](crate::BestEffortEventPublisher) | one after another, all of them |
/// | [`GroupEventPublisher`](crate::GroupEventPublisher) | all at once; a failure stops the others |
/// | [`JoinEventPublisher`](crate::JoinEventPublisher) | all at once, to their end |
///
/// a strategy of your own gets the deliveries to make, and reports by [`Deliveries::finish`]:
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::Deliveries;
///
/// /// Gives each handler a second chance.
/// struct TwoTries;
///
/// impl EventPublisher for TwoTries {
///     async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
///         for delivery in deliveries.iter() {
///             if delivery.deliver().await.is_err() {
///                 if let Err(failure) = delivery.deliver().await {
///                     return deliveries.finish([failure]);
///                 }
///             }
///         }
///         deliveries.finish([])
///     }
/// }
///
/// let mediator = Mediator::builder().event_publisher(TwoTries).build().unwrap();
/// ```
///
/// Installed in the builder it costs one boxed future per publish that has handlers; passed to
/// [`publish_with`](crate::Mediator::publish_with), none.
pub trait EventPublisher: Send + Sync + 'static {
    /// Runs the handlers; called only for events that have some.
    ///
    /// Dropping the future cancels the publish: it must not leave handlers running.
    ///
    /// # Errors
    ///
    /// What [`Deliveries::finish`] makes of the failures that matter to this strategy.
    fn publish(&self, deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// Whether handlers may run at the same time; `false` unless a strategy says otherwise.
    ///
    /// If so, handlers that cannot share what they borrow are an error before any of them starts, and publishes of the handlers
    /// inherit only what is lent as `&T`. Where it wrongly says `false`, the handler that comes second fails.
    fn is_concurrent(&self) -> bool {
        false
    }

    /// The strategy as a mediator keeps it.
    #[doc(hidden)]
    fn __erase(self: Arc<Self>) -> AnyStrategy
    where
        Self: Sized,
    {
        AnyStrategy(Strategy::Custom(self))
    }
}

/// A strategy whose type the mediator forgets.
#[doc(hidden)]
pub struct AnyStrategy(pub(crate) Strategy);

impl<P: EventPublisher> ErasedStrategy for P {
    fn is_concurrent(&self) -> bool {
        EventPublisher::is_concurrent(self)
    }

    fn run<'a>(&'a self, dispatch: &'a Dispatch<'a>) -> BoxedRun<'a> {
        Box::pin(self.publish(Deliveries::new(dispatch)))
    }
}
