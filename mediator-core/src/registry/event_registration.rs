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
}

/// The events that the macros declare in all linked crates, in the order of the linker.
pub(crate) fn declared_events() -> impl Iterator<Item = EventInfo> {
    inventory::iter::<EventRegistration>().map(|registration| (registration.event)())
}

/// Those of them that have a name by `name = …`, with that and earlier ones, in the order of the linker.
pub(crate) fn named_events() -> impl Iterator<Item = (EventInfo, &'static str)> {
    let named = inventory::iter::<EventRegistration>().filter(|registration| registration.has_given_name);
    named.flat_map(|registration| {
        let event = (registration.event)();
        let names = [event.name()].into_iter().chain(registration.aliases.iter().copied());
        names.map(move |name| (event, name))
    })
}

/// Events in an order that does not depend on the linker.
pub(crate) fn in_order(events: impl Iterator<Item = EventInfo>) -> Vec<EventInfo> {
    let mut events: Vec<_> = events.collect();
    events.sort_by_cached_key(EventInfo::sort_key);
    events
}
