//! Orders: an aggregate that records what happens to it, commands whose handlers save it and publish its events, a behavior
//! that runs each command in a transaction, and a service that sends the commands. The module does not know who handles the
//! events; all the service is given is a [`Sender`].
//!
//! [`Sender`]: mediator_core::Sender

mod commands;
mod order;
mod repository;
mod service;
mod transaction;

pub use crate::commands::{CancelOrder, PlaceOrder, ServiceError};
pub use crate::order::{Order, OrderError, Status};
pub use crate::repository::create_tables;
pub use crate::service::OrderService;
