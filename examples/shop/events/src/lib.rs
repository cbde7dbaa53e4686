//! What the shop's modules tell each other; all they have in common.

use mediator_core::prelude::*;

/// A customer has placed an order.
#[event(name = "orders.placed")]
#[derive(Debug, Clone)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: i64,
    /// Where the customer gets mail.
    pub email: String,
    /// What the order costs.
    pub total_cents: i64,
}

/// A customer has changed their mind.
#[event(name = "orders.cancelled")]
#[derive(Debug, Clone)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: i64,
    /// Where the customer gets mail.
    pub email: String,
    /// What the order would have cost.
    pub total_cents: i64,
}

/// The merchant whose shop this is; lent by every publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(pub String);
