//! What runs around handlers.

#[allow(clippy::module_inception)]
pub(crate) mod behavior;
pub(crate) mod message;
