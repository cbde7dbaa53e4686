//! When and how the handlers of an event run.

pub(crate) mod best_effort;
pub(crate) mod deliveries;
pub(crate) mod event_publisher;
pub(crate) mod group;
pub(crate) mod join;
pub(crate) mod sequential;
