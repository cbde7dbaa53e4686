//! What handles events, and what is known of handlers and services.

pub(crate) mod error;
pub(crate) mod event_handler;
pub(crate) mod info;
pub(crate) mod service_info;
