//! What runs around handlers.

#[allow(clippy::module_inception)]
pub(crate) mod behavior;
pub(crate) mod message;
#[cfg(feature = "tokio")]
pub(crate) mod retry;
#[cfg(feature = "tokio")]
pub(crate) mod timeout;
