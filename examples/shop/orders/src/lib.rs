//! Orders: an aggregate that records what happens to it, and a service that saves it and publishes its events, in one
//! transaction. The module does not know who handles them; all it is given is a [`Publisher`].
//!
//! [`Publisher`]: mediator_core::Publisher

mod order;
mod repository;
mod service;

pub use crate::order::{Order, OrderError, Status};
pub use crate::repository::create_tables;
pub use crate::service::{OrderService, ServiceError};
