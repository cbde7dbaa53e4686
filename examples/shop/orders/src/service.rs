//! What the rest of the program does with orders.

use mediator_core::prelude::*;
use shop_events::Tenant;

use crate::{CancelOrder, Order, PlaceOrder, ServiceError};

/// Places and cancels orders, by commands.
#[derive(Clone, Debug)]
pub struct OrderService {
    sender: Sender,
}

impl OrderService {
    /// A service that sends its commands by `sender`.
    #[must_use]
    pub fn new(sender: Sender) -> Self {
        Self { sender }
    }

    /// Places an order and returns it.
    ///
    /// # Errors
    ///
    /// When the order cannot be placed, or a handler of its event fails.
    pub async fn place(&self, tenant: &Tenant, email: &str, prices_in_cents: &[i64]) -> Result<Order, ServiceError> {
        let command = PlaceOrder { email: email.to_owned(), prices_in_cents: prices_in_cents.to_vec() };
        self.sender.with(tenant).send(command).await
    }

    /// Cancels an order of the tenant and returns it.
    ///
    /// # Errors
    ///
    /// When there is no such order, it cannot be cancelled, or a handler of its event fails.
    pub async fn cancel(&self, tenant: &Tenant, order_id: i64) -> Result<Order, ServiceError> {
        self.sender.with(tenant).send(CancelOrder { order_id }).await
    }
}
