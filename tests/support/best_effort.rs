use mediator_core::{Deliveries, EventPublisher, PublishError};

/// A strategy of a user's own: runs every handler, one after another, even if earlier ones failed.
pub struct BestEffort;

impl EventPublisher for BestEffort {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter() {
            failures.extend(delivery.deliver().await.err());
        }
        deliveries.finish(failures)
    }
}
