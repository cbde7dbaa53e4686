//! What a worker knows of a durable handler.

use std::any::TypeId;

use super::options::{DurableOptions, RetryOptions};
use crate::dispatch::HandlerList;
use crate::event::dynamic::DynNotification;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;

/// A durable handler of a mediator, as a worker needs it.
///
/// [`Mediator::durable_handlers`](crate::Mediator::durable_handlers) lists them, and
/// [`Mediator::deliver`](crate::Mediator::deliver) calls one.
pub struct DurableHandler {
    pub(crate) options: &'static DurableOptions,
    /// The handler alone, with the behaviors around it.
    pub(crate) list: HandlerList,
    pub(crate) borrows: Box<[TypeId]>,
}

impl DurableHandler {
    /// The handler.
    #[must_use]
    pub fn info(&self) -> &HandlerInfo {
        &self.list.infos()[0]
    }

    /// The name under which its deliveries are recorded.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.info().name()
    }

    /// Names under which its deliveries were recorded earlier.
    #[must_use]
    pub fn aliases(&self) -> &'static [&'static str] {
        self.options.aliases
    }

    /// The name of its event.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        self.options.codec.name
    }

    /// Names under which its event was recorded earlier.
    #[must_use]
    pub fn event_aliases(&self) -> &'static [&'static str] {
        self.options.codec.aliases
    }

    /// The version of the event's JSON; it can decode that and older ones.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.options.codec.version
    }

    /// How it is retried, as far as its attribute says so.
    #[must_use]
    pub fn retry(&self) -> RetryOptions {
        self.options.retry
    }

    /// Whether deliveries behind a dead one of their key go on.
    #[must_use]
    pub fn skips_dead(&self) -> bool {
        self.options.skips_dead
    }

    /// Whether it, or a behavior around it, borrows a value of this type from the worker.
    #[must_use]
    pub fn borrows(&self, type_id: TypeId) -> bool {
        self.borrows.contains(&type_id)
    }

    /// The event that was recorded as JSON of this version.
    ///
    /// # Errors
    ///
    /// When the JSON is not that of the event, or an upcaster fails.
    pub fn decode(&self, version: u32, payload: &str) -> Result<Box<dyn DynNotification>, BoxError> {
        (self.options.codec.decode)(version, payload)
    }
}

impl std::fmt::Debug for DurableHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DurableHandler")
            .field("handler", self.info())
            .field("event", &self.event_name())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
