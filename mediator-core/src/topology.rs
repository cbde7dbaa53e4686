//! Who handles what: for people, pictures and programs.

mod picture;
#[cfg(feature = "serde")]
mod serialize;
mod table;

use std::any::TypeId;

use crate::dispatch::TypeIdMap;
use crate::inject::Request;
use crate::registry::{EventInfo, HandlerInfo, declared_events};

/// Every event that this program knows, with its handlers in the order of their calls; from
/// [`Mediator::topology`](crate::Mediator::topology).
///
/// Events without handlers are there too, if a macro declared them. The order of the events is
/// that of their crates and of their places in the code, the same in every build.
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler]
/// async fn send_email(event: &OrderPlaced) {}
///
/// let mediator = Mediator::new()?;
/// println!("{}", mediator.topology());
/// for event in mediator.topology().events().iter().filter(|event| event.handlers().is_empty()) {
///     println!("nobody handles {}", event.event());
/// }
/// # Ok::<(), BuildError>(())
/// ```
///
/// `Display` is a table. With the feature `serde` it serializes as an object that JSON shows as
///
/// ```json
/// {
///   "version": 1,
///   "events": [{
///     "name": "orders.placed",
///     "type": "shop_events::OrderPlaced",
///     "crate": "shop_events",
///     "file": "events/src/lib.rs",
///     "line": 12,
///     "strategy": "SequentialEventPublisher",
///     "handlers": [{
///       "position": 1,
///       "name": "shop_notifications::SendEmail",
///       "crate": "shop_notifications",
///       "file": "notifications/src/lib.rs",
///       "line": 8,
///       "services": [{ "field": "mailer", "type": "alloc::sync::Arc<dyn shop_notifications::Mailer>" }]
///     }]
///   }]
/// }
/// ```
///
/// `file` and `line` of an event are null if `Notification` was implemented by hand; `field` is
/// null if an `impl Inject` names none. A later `version` may change or remove entries; new ones
/// may be added to this version.
#[derive(Clone, Debug)]
pub struct Topology {
    events: Vec<EventNode>,
}

/// One event in a [`Topology`].
#[derive(Clone, Debug)]
pub struct EventNode {
    event: EventInfo,
    strategy: &'static str,
    handlers: Vec<HandlerNode>,
}

/// One handler of one event in a [`Topology`].
#[derive(Clone, Debug)]
pub struct HandlerNode {
    handler: HandlerInfo,
    /// The same for all events of a handler.
    handler_type: TypeId,
    position: usize,
    services: Vec<ServiceUse>,
}

/// A service that a handler was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceUse {
    field: Option<&'static str>,
    type_name: &'static str,
}

impl Topology {
    pub(crate) const fn empty() -> Self {
        Self { events: Vec::new() }
    }

    /// Adds the declared events that nobody handles.
    pub(crate) fn new(strategy: &'static str, handled: Vec<(EventInfo, Vec<HandlerNode>)>) -> Self {
        let known: TypeIdMap<()> = handled.iter().map(|(event, _)| (event.type_id(), ())).collect();
        let unhandled = declared_events().filter(|event| !known.contains_key(&event.type_id()));
        let mut events: Vec<_> = handled
            .into_iter()
            .chain(unhandled.map(|event| (event, Vec::new())))
            .map(|(event, handlers)| EventNode { event, strategy, handlers })
            .collect();
        events.sort_by_cached_key(|node| node.event.sort_key());
        Self { events }
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &[EventNode] {
        &self.events
    }

    /// A flowchart in the language of [Mermaid](https://mermaid.js.org), which many forges and
    /// editors draw in Markdown; each crate is a group, and each arrow has the handler's position.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        picture::mermaid(self)
    }

    /// The same picture in the language of [Graphviz](https://graphviz.org).
    #[must_use]
    pub fn to_dot(&self) -> String {
        picture::dot(self)
    }
}

impl EventNode {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &EventInfo {
        &self.event
    }

    /// The Rust path of the mediator's strategy, which runs the handlers unless a publish brings
    /// its own.
    #[must_use]
    pub fn strategy(&self) -> &'static str {
        self.strategy
    }

    /// The handlers, in the order of their calls.
    #[must_use]
    pub fn handlers(&self) -> &[HandlerNode] {
        &self.handlers
    }
}

impl HandlerNode {
    pub(crate) fn new(handler: HandlerInfo, handler_type: TypeId, position: usize, requests: &[Request]) -> Self {
        let services = requests.iter().map(|request| ServiceUse { field: request.field, type_name: request.service });
        Self { handler, handler_type, position, services: services.collect() }
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &HandlerInfo {
        &self.handler
    }

    /// Its place among the handlers of the event, from 1.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The services that were injected when it was built; none if it was bound ready-made.
    #[must_use]
    pub fn services(&self) -> &[ServiceUse] {
        &self.services
    }
}

impl ServiceUse {
    /// The field or parameter, unless an `impl Inject` did not name one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// The type of the service.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

/// The event's name, or for one that is named by its type all of the type: `Created<User>`.
fn event_label(event: &EventInfo) -> &'static str {
    if event.type_name().starts_with(event.name()) { event.type_name() } else { event.name() }
}

/// A type's name without the modules: `Arc<dyn Mailer>`.
fn short(type_name: &str) -> String {
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let pieces = type_name.split_inclusive(|c| !in_path(c));
    pieces.map(|piece| piece.rsplit("::").next().unwrap_or_default()).collect()
}
