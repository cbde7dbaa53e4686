//! The events that the macros declare.

#[cfg(feature = "durable")]
use crate::durable::external::ExternalOptions;
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
    #[cfg(feature = "durable")]
    external: Option<&'static ExternalOptions>,
}

impl EventRegistration {
    #[must_use]
    pub const fn new<E: Notification>() -> Self {
        Self {
            event: EventInfo::of::<E>,
            has_given_name: false,
            aliases: &[],
            #[cfg(feature = "durable")]
            external: None,
        }
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

    /// With the user's `external`.
    #[cfg(feature = "durable")]
    #[must_use]
    pub const fn external(mut self, options: &'static ExternalOptions) -> Self {
        self.external = Some(options);
        self
    }

    /// The event, if it is external.
    #[cfg(feature = "durable")]
    pub(crate) fn declared_external(&self) -> Option<(EventInfo, &'static ExternalOptions)> {
        self.external.map(|external| ((self.event)(), external))
    }

    /// The event, and its earlier names if its name is by `name = …`.
    pub(crate) fn declared(&self) -> (EventInfo, Option<&'static [&'static str]>) {
        ((self.event)(), self.has_given_name.then_some(self.aliases))
    }
}
