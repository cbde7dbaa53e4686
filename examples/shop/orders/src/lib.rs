//! Orders: an aggregate that records what happens to it, and a service that saves it and then tells
//! the others. Who they are it does not know; all it is given is a [`Publisher`].
//!
//! [`Publisher`]: mediator_core::Publisher

mod order;
mod repository;
mod service;

pub use crate::order::{Order, OrderError, Status};
pub use crate::repository::Orders;
pub use crate::service::{OrderService, ServiceError};
