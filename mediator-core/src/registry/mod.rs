//! What is registered, at link time or by hand, and in which order it is called.

pub(crate) mod behavior_registration;
pub(crate) mod duplicates;
pub(crate) mod event_registration;
pub(crate) mod handled;
pub(crate) mod handler_behavior;
pub(crate) mod linked_modules;
pub(crate) mod order;
pub(crate) mod program;
pub(crate) mod registration;
pub(crate) mod request_registration;
