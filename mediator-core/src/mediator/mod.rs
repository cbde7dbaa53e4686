//! How a mediator is built, and the handles through which it is used.

mod behaviors;
pub(crate) mod builder;
#[cfg(feature = "durable")]
pub(crate) mod durable;
pub(crate) mod handles;
#[cfg_attr(not(feature = "testing"), path = "no_kit.rs")]
pub(crate) mod kit;
mod wiring;
