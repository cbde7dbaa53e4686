//! The events that the macros declare.

use crate::event::info::EventInfo;
use crate::event::notification::Notification;

inventory::collect!(EventRegistration);

/// An event type that a macro declared; known even if nobody handles it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct EventRegistration {
    event: fn() -> EventInfo,
    has_given_name: bool,
    /// Its earlier names.
    aliases: &'static [&'static str],
}

impl EventRegistration {
    #[must_use]
    pub const fn new<E: Notification>() -> Self {
        Self { event: EventInfo::of::<E>, has_given_name: false, aliases: &[] }
    }

    /// With the user's `name = …`, which the event answers with.
    #[must_use]
    pub const fn named(mut self) -> Self {
        self.has_given_name = true;
        self
    }

    /// With the user's `alias = […]`.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// The event, and its earlier names if its name is by `name = …`.
    pub(crate) fn declared(&self) -> (EventInfo, Option<&'static [&'static str]>) {
        ((self.event)(), self.has_given_name.then_some(self.aliases))
    }
}
