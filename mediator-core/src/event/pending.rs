//! The events an aggregate has caused and nobody has published yet.

use super::dynamic::DynNotification;
use super::notification::Notification;

/// Collects domain events until the surrounding service publishes them.
///
/// An aggregate records what happened to it; whoever saved the aggregate drains the events and
/// hands them to [`publish_all`](crate::Publisher::publish_all).
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced { order_id: u64 }
///
/// #[derive(Default)]
/// struct Order { id: u64, events: PendingEvents }
///
/// impl Order {
///     fn place(&mut self) {
///         self.events.record(OrderPlaced::new(self.id));
///     }
///
///     fn collect_events(&mut self) -> Vec<Box<dyn DynNotification>> {
///         self.events.drain()
///     }
/// }
///
/// let mut order = Order::default();
/// order.place();
/// assert_eq!(order.collect_events().len(), 1);
/// assert!(order.collect_events().is_empty());
/// ```
#[derive(Debug, Default)]
#[must_use = "recorded events reach their handlers only when they are drained and published"]
pub struct PendingEvents {
    events: Vec<Box<dyn DynNotification>>,
}

impl PendingEvents {
    /// An empty collection.
    pub const fn new() -> Self {
        Self { events: Vec::new() }
    }

    /// Adds an event behind those already recorded.
    pub fn record<E: Notification>(&mut self, event: E) {
        self.events.push(Box::new(event));
    }

    /// Takes all events out, in the order they were recorded.
    #[must_use = "the events drained are no longer recorded: publish them"]
    pub fn drain(&mut self) -> Vec<Box<dyn DynNotification>> {
        std::mem::take(&mut self.events)
    }

    /// How many events are recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no event is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// Puts events back, such as those a failed publish [returns](crate::PublishError::into_unpublished).
impl Extend<Box<dyn DynNotification>> for PendingEvents {
    fn extend<I: IntoIterator<Item = Box<dyn DynNotification>>>(&mut self, events: I) {
        self.events.extend(events);
    }
}
