//! What handles events, and what is known of it.

pub(crate) mod error;
pub(crate) mod event_handler;
pub(crate) mod info;
