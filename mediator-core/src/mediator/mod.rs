//! How a mediator is built, and the handles through which it is used.

mod behaviors;
pub(crate) mod builder;
#[cfg(feature = "durable")]
mod durable;
pub(crate) mod handles;
mod wiring;
