//! Orders: an aggregate that records what happens to it, and a service that saves it and tells the others, in one transaction.
//! Who they are it does not know; all it is given is a [`Publisher`].
//!
//! [`Publisher`]: mediator_core::Publisher

mod order;
mod service;

pub use crate::order::{Order, OrderError, Status};
pub use crate::service::{OrderService, ServiceError, create_tables};
