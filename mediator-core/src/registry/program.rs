//! What all of the program registers at link time, which does not change: sorted and indexed once, when first needed.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::behavior_registration::{BehaviorKey, BehaviorRegistration};
use super::event_registration::EventRegistration;
use super::order;
use super::registration::HandlerRegistration;
use super::request_registration::RequestRegistration;
use crate::dispatch::TypeIdMap;
#[cfg(feature = "durable")]
use crate::durable::external::ExternalOptions;
use crate::event::info::EventInfo;
use crate::request::info::RequestInfo;

/// The handlers that are discovered, in the order of their calls.
pub(crate) fn handlers() -> &'static [&'static HandlerRegistration] {
    static HANDLERS: LazyLock<Vec<&HandlerRegistration>> = LazyLock::new(|| {
        let mut handlers: Vec<_> = inventory::iter::<HandlerRegistration>().filter(|it| !it.is_manual()).collect();
        order::sort(&mut handlers);
        handlers
    });
    &HANDLERS
}

/// All registrations of a handler, `manual` ones too.
pub(crate) fn registrations_of(handler: TypeId) -> &'static [&'static HandlerRegistration] {
    static BY_HANDLER: LazyLock<TypeIdMap<Vec<&HandlerRegistration>>> = LazyLock::new(|| {
        let mut by_handler: TypeIdMap<Vec<_>> = TypeIdMap::default();
        for registration in inventory::iter::<HandlerRegistration>() {
            by_handler.entry(registration.plan().identity).or_default().push(registration);
        }
        by_handler
    });
    BY_HANDLER.get(&handler).map_or(&[], Vec::as_slice)
}

/// The behaviors, from outside in.
pub(crate) fn behaviors() -> &'static [BehaviorRegistration] {
    static BEHAVIORS: LazyLock<Vec<BehaviorRegistration>> = LazyLock::new(|| {
        let mut behaviors: Vec<_> = inventory::iter::<BehaviorRegistration>().copied().collect();
        order::sort_behaviors(&mut behaviors);
        behaviors
    });
    &BEHAVIORS
}

/// The behavior of a type around a message, if the macro stands on it.
pub(crate) fn behavior(key: BehaviorKey) -> Option<&'static BehaviorRegistration> {
    static BY_KEY: LazyLock<HashMap<BehaviorKey, &BehaviorRegistration>> =
        LazyLock::new(|| behaviors().iter().map(|behavior| (behavior.key(), behavior)).collect());
    BY_KEY.get(&key).copied()
}

/// The events that the macros declare, in the order of their places.
pub(crate) fn events() -> impl Iterator<Item = EventInfo> {
    declared_events().iter().map(|(event, _)| *event)
}

/// Those of them that have a name by `name = …`, with that and earlier ones.
pub(crate) fn named_events() -> impl Iterator<Item = (EventInfo, &'static str)> {
    let named = declared_events().iter().filter_map(|(event, aliases)| Some((*event, (*aliases)?)));
    named.flat_map(|(event, aliases)| {
        [event.name()].into_iter().chain(aliases.iter().copied()).map(move |name| (event, name))
    })
}

/// The events that go to other services, in the order of their places.
#[cfg(feature = "durable")]
pub(crate) fn external_events() -> &'static [(EventInfo, &'static ExternalOptions)] {
    static EVENTS: LazyLock<Vec<(EventInfo, &ExternalOptions)>> = LazyLock::new(|| {
        let mut events: Vec<_> =
            inventory::iter::<EventRegistration>().filter_map(EventRegistration::declared_external).collect();
        events.sort_by_cached_key(|(event, _)| event.sort_key());
        events
    });
    &EVENTS
}

/// Whether an event goes to other services.
pub(crate) fn is_external(event: &EventInfo) -> bool {
    #[cfg(feature = "durable")]
    return external_events().iter().any(|(external, _)| external == event);
    #[cfg(not(feature = "durable"))]
    {
        let _ = event;
        false
    }
}

/// An event, with its earlier names if it has a given one.
type DeclaredEvent = (EventInfo, Option<&'static [&'static str]>);

fn declared_events() -> &'static [DeclaredEvent] {
    static EVENTS: LazyLock<Vec<DeclaredEvent>> = LazyLock::new(|| {
        let mut events: Vec<_> = inventory::iter::<EventRegistration>().map(EventRegistration::declared).collect();
        events.sort_by_cached_key(|(event, _)| event.sort_key());
        events
    });
    &EVENTS
}

/// The requests that the macro declares, in the order of their places.
pub(crate) fn requests() -> impl Iterator<Item = RequestInfo> {
    declared_requests().iter().map(|(request, _)| *request)
}

/// Those of them that have a name by `name = …`, with it.
pub(crate) fn named_requests() -> impl Iterator<Item = (RequestInfo, &'static str)> {
    let named = declared_requests().iter().filter(|(_, has_given_name)| *has_given_name);
    named.map(|(request, _)| (*request, request.name()))
}

fn declared_requests() -> &'static [(RequestInfo, bool)] {
    static REQUESTS: LazyLock<Vec<(RequestInfo, bool)>> = LazyLock::new(|| {
        let mut requests: Vec<_> =
            inventory::iter::<RequestRegistration>().map(RequestRegistration::declared).collect();
        requests.sort_by_cached_key(|(request, _)| request.sort_key());
        requests
    });
    &REQUESTS
}
