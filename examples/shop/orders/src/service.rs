//! What can be done with orders: save first, then tell the others.

use std::sync::Arc;

use mediator_core::prelude::*;

use crate::{Order, OrderError, Orders};

/// What the rest of the program does with orders.
#[derive(Clone, Debug)]
pub struct OrderService {
    orders: Arc<Orders>,
    publisher: Publisher,
}

/// Why the service could not do all of what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The order refused; nothing was saved.
    #[error(transparent)]
    Refused(#[from] OrderError),
    /// The order is saved, but not everybody who should react to that did.
    #[error("order {order_id} is saved, but not everybody has reacted to it")]
    Reaction {
        /// The order.
        order_id: u64,
        /// Who failed, and with what.
        source: PublishError,
    },
}

impl OrderService {
    /// A service over `orders` that tells `publisher` what happens to them.
    #[must_use]
    pub fn new(orders: Arc<Orders>, publisher: Publisher) -> Self {
        Self { orders, publisher }
    }

    /// Places an order and returns it.
    ///
    /// # Errors
    ///
    /// When the order cannot be placed, or when a reaction to it failed.
    pub async fn place(&self, email: &str, prices_in_cents: &[u64]) -> Result<Order, ServiceError> {
        let mut order = Order::place(self.orders.next_id(), email, prices_in_cents)?;
        self.save_and_publish(&mut order).await?;
        Ok(order)
    }

    /// Cancels an order.
    ///
    /// # Errors
    ///
    /// When the order cannot be cancelled, or when a reaction to it failed.
    pub async fn cancel(&self, order: &mut Order) -> Result<(), ServiceError> {
        order.cancel()?;
        self.save_and_publish(order).await
    }

    /// Saves first: an event says what has happened.
    async fn save_and_publish(&self, order: &mut Order) -> Result<(), ServiceError> {
        self.orders.save(order);
        let published = self.publisher.publish_all(order.collect_events()).await;
        published.map_err(|source| ServiceError::Reaction { order_id: order.id(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::executor::block_on;
    use shop_events::{OrderCancelled, OrderPlaced};

    use super::*;
    use crate::Status;

    /// Looks at the repository whenever the service says that something has happened.
    struct Witness {
        orders: Arc<Orders>,
        seen: Mutex<Vec<Option<Status>>>,
    }

    impl EventHandler<OrderPlaced> for Witness {
        async fn handle(&self, event: &OrderPlaced) {
            self.seen.lock().unwrap().push(self.orders.status(event.order_id));
        }
    }

    impl EventHandler<OrderCancelled> for Witness {
        async fn handle(&self, event: &OrderCancelled) -> Result<(), &'static str> {
            self.seen.lock().unwrap().push(self.orders.status(event.order_id));
            Err("too late")
        }
    }

    #[test]
    fn orders_are_saved_before_anybody_is_told() {
        let orders = Arc::<Orders>::default();
        let witness = Arc::new(Witness { orders: orders.clone(), seen: Mutex::default() });
        let mediator = Mediator::builder()
            .without_discovery()
            .bind_handler::<OrderPlaced, _>(witness.clone())
            .bind_handler::<OrderCancelled, _>(witness.clone())
            .build()
            .unwrap();
        let service = OrderService::new(orders.clone(), mediator.publisher());

        let mut order = block_on(service.place("ada@example.com", &[1_250])).unwrap();
        let error = block_on(service.cancel(&mut order)).unwrap_err();

        assert!(matches!(error, ServiceError::Reaction { order_id: 1, .. }));
        assert_eq!(*witness.seen.lock().unwrap(), [Some(Status::Placed), Some(Status::Cancelled)]);
        assert_eq!(orders.status(1), Some(Status::Cancelled), "a failed reaction undoes nothing");
    }
}
