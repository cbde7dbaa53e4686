//! Who handles what: for people, pictures and programs.

mod module;
mod picture;
#[cfg(feature = "serde")]
mod serialize;
mod table;

use std::any::TypeId;
use std::fmt;
use std::sync::LazyLock;

use crate::event::info::EventInfo;
use crate::handler::info::HandlerInfo;
use crate::handler::service_info::ServiceInfo;
use crate::request::info::RequestInfo;
use crate::services::services::ServiceRequest;

pub use module::{CrossedBoundary, Module};

/// Every event and every request that this program knows, with its handlers in the order of their calls; from
/// [`Mediator::topology`](crate::Mediator::topology).
///
/// Events and requests without handlers are there too, if a macro declared them. The order of the events, and of the requests,
/// is that of their crates and of their places in the code, the same in every build.
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
///   "version": 2,
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
///       "observer": false,
///       "durable": false,
///       "behaviors": ["shop_common::Timing"],
///       "services": [{
///         "field": "mailer",
///         "type": "alloc::sync::Arc<dyn shop_notifications::Mailer>",
///         "provided_by": "shop_notifications::Smtp"
///       }],
///       "borrows": [{
///         "parameter": "tx",
///         "type": "sqlx_sqlite::connection::SqliteConnection",
///         "exclusive": true,
///         "optional": false
///       }]
///     }]
///   }],
///   "requests": [{
///     "name": "shop_orders::PlaceOrder",
///     "type": "shop_orders::PlaceOrder",
///     "response": "shop_orders::OrderConfirmation",
///     "crate": "shop_orders",
///     "file": "orders/src/lib.rs",
///     "line": 20,
///     "handler": {
///       "position": 1,
///       "name": "shop_orders::place_order",
///       "crate": "shop_orders",
///       "file": "orders/src/lib.rs",
///       "line": 31,
///       "observer": false,
///       "durable": false,
///       "behaviors": ["shop_common::Timing", "shop_orders::CheckCredit"],
///       "services": [],
///       "borrows": []
///     }
///   }],
///   "services": [{
///     "name": "shop_notifications::Smtp",
///     "crate": "shop_notifications",
///     "file": "notifications/src/smtp.rs",
///     "line": 5,
///     "types": ["alloc::sync::Arc<shop_notifications::Smtp>", "alloc::sync::Arc<dyn shop_notifications::Mailer>"],
///     "services": []
///   }]
/// }
/// ```
///
/// Of an event that other services know, `"external": true`. An observer is among the handlers of every event. The behaviors are those around the handler, outermost first. `provided_by` is null for what the builder was given.
/// `file` and `line` of an event or a request are null if its trait was implemented by hand; `handler` is null if nobody
/// handles the request; `field` is null if an `impl Inject` names none. A later `version` may change or remove entries; new ones
/// may be added to this version.
#[derive(Clone, Debug)]
pub struct Topology {
    events: Vec<EventNode>,
    observers: Vec<HandlerNode>,
    requests: Vec<RequestNode>,
    services: Vec<ServiceNode>,
}

/// Put together when somebody asks for it.
pub(crate) type LazyTopology = LazyLock<Topology, Box<dyn FnOnce() -> Topology + Send>>;

/// One event in a [`Topology`].
#[derive(Clone, Debug)]
pub struct EventNode {
    event: EventInfo,
    strategy: &'static str,
    is_external: bool,
    handlers: Vec<HandlerNode>,
}

/// One request in a [`Topology`].
#[derive(Clone, Debug)]
pub struct RequestNode {
    request: RequestInfo,
    handler: Option<HandlerNode>,
}

/// One handler of one event, or the handler of a request, in a [`Topology`].
#[derive(Clone, Debug)]
pub struct HandlerNode {
    handler: HandlerInfo,
    /// The same for all events and requests of a handler.
    identity: TypeId,
    position: usize,
    is_observer: bool,
    is_durable: bool,
    behaviors: Vec<HandlerInfo>,
    services: Vec<ServiceUse>,
    borrows: Vec<BorrowUse>,
}

/// A service of a module in a [`Topology`], made because a handler needs it.
#[derive(Clone, Debug)]
pub struct ServiceNode {
    service: ServiceInfo,
    types: Vec<&'static str>,
    needs: Vec<ServiceUse>,
}

/// A service that a handler, or another service, was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceUse {
    field: Option<&'static str>,
    type_name: &'static str,
    provided_by: Option<ServiceInfo>,
}

/// What a handler borrows from the publish or the send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BorrowUse {
    pub(crate) parameter: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) is_exclusive: bool,
    pub(crate) is_optional: bool,
}

impl Topology {
    pub(crate) const fn empty() -> Self {
        Self { events: Vec::new(), observers: Vec::new(), requests: Vec::new(), services: Vec::new() }
    }

    /// `events` and `requests` in any order.
    pub(crate) fn new(
        mut events: Vec<EventNode>,
        observers: Vec<HandlerNode>,
        mut requests: Vec<RequestNode>,
        services: Vec<ServiceNode>,
    ) -> Self {
        events.sort_by_cached_key(|node| node.event.sort_key());
        requests.sort_by_cached_key(|node| node.request.sort_key());
        Self { events, observers, requests, services }
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &[EventNode] {
        &self.events
    }

    /// The handlers of every event, which are among the handlers of each as well.
    #[must_use]
    pub fn observers(&self) -> &[HandlerNode] {
        &self.observers
    }

    /// The requests.
    #[must_use]
    pub fn requests(&self) -> &[RequestNode] {
        &self.requests
    }

    /// The services of modules that handlers need.
    #[must_use]
    pub fn services(&self) -> &[ServiceNode] {
        &self.services
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
    pub(crate) fn new(event: EventInfo, strategy: &'static str, handlers: Vec<HandlerNode>) -> Self {
        Self { event, strategy, is_external: false, handlers }
    }

    pub(crate) fn external_if(self, is_external: bool) -> Self {
        Self { is_external, ..self }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &EventInfo {
        &self.event
    }

    /// The Rust path of the strategy that the mediator has for the event, which runs the handlers unless a publish brings
    /// its own.
    #[must_use]
    pub fn strategy(&self) -> &'static str {
        self.strategy
    }

    /// Whether the event is declared as one that other services know: `#[event(…, external)]`.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.is_external
    }

    /// The handlers, in the order of their calls.
    #[must_use]
    pub fn handlers(&self) -> &[HandlerNode] {
        &self.handlers
    }

    /// Whether nobody handles the event, here or in other services; observers do not count.
    fn is_unhandled(&self) -> bool {
        !self.is_external && self.handlers.iter().all(|handler| handler.is_observer)
    }
}

impl RequestNode {
    pub(crate) fn new(request: RequestInfo, handler: Option<HandlerNode>) -> Self {
        Self { request, handler }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &RequestInfo {
        &self.request
    }

    /// Its handler, if it has one.
    #[must_use]
    pub fn handler(&self) -> Option<&HandlerNode> {
        self.handler.as_ref()
    }
}

impl HandlerNode {
    pub(crate) fn new(
        handler: HandlerInfo,
        identity: TypeId,
        position: usize,
        is_observer: bool,
        behaviors: Vec<HandlerInfo>,
    ) -> Self {
        let (services, borrows) = (Vec::new(), Vec::new());
        Self { handler, identity, position, is_observer, is_durable: false, behaviors, services, borrows }
    }

    pub(crate) fn durable_if(self, is_durable: bool) -> Self {
        Self { is_durable, ..self }
    }

    pub(crate) fn with_needs(self, requests: &[ServiceRequest], borrows: Vec<BorrowUse>) -> Self {
        Self { services: services(requests), borrows, ..self }
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &HandlerInfo {
        &self.handler
    }

    /// Its place among the handlers of the event, from 1; of a request, 1.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether it is called with every event.
    #[must_use]
    pub fn is_observer(&self) -> bool {
        self.is_observer
    }

    /// Whether it is called by a worker, for a delivery that the publish records, and not by the publish.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// The behaviors around it, outermost first.
    #[must_use]
    pub fn behaviors(&self) -> &[HandlerInfo] {
        &self.behaviors
    }

    /// The services that were injected when it was built; none if it was bound ready-made.
    #[must_use]
    pub fn services(&self) -> &[ServiceUse] {
        &self.services
    }

    /// What it borrows from the publish or the send.
    #[must_use]
    pub fn borrows(&self) -> &[BorrowUse] {
        &self.borrows
    }
}

impl ServiceNode {
    pub(crate) fn new(service: ServiceInfo, types: Vec<&'static str>, requests: &[ServiceRequest]) -> Self {
        Self { service, types, needs: services(requests) }
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &ServiceInfo {
        &self.service
    }

    /// The types that it is provided as.
    #[must_use]
    pub fn types(&self) -> &[&'static str] {
        &self.types
    }

    /// The services that it was made of.
    #[must_use]
    pub fn services(&self) -> &[ServiceUse] {
        &self.needs
    }
}

fn services(requests: &[ServiceRequest]) -> Vec<ServiceUse> {
    let service = |request: &ServiceRequest| ServiceUse {
        field: request.field,
        type_name: request.service,
        provided_by: request.provided_by,
    };
    requests.iter().map(service).collect()
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

    /// The service of a module that it is; `None` if the builder was given it.
    #[must_use]
    pub fn provided_by(&self) -> Option<&ServiceInfo> {
        self.provided_by.as_ref()
    }
}

impl BorrowUse {
    /// The parameter.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// The type that is borrowed.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Whether it is borrowed as `&mut`.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }

    /// Whether the handler does without, if it is not lent.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.is_optional
    }
}

/// `&mut SqliteConnection`
impl fmt::Display for BorrowUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = if self.is_exclusive { "&mut " } else { "&" };
        let (open, close) = if self.is_optional { ("Option<", ">") } else { ("", "") };
        write!(f, "{open}{reference}{}{close}", short(self.type_name))
    }
}

/// `inside Timing, CheckCredit`, if there are behaviors around the handler.
fn inside(node: &HandlerNode) -> Option<String> {
    let names: Vec<_> = node.behaviors.iter().map(|behavior| short(&printable(behavior.name()))).collect();
    (!names.is_empty()).then(|| format!("inside {}", names.join(", ")))
}

/// The name of an event or a request, or for one that is named by its type all of the type: `Created<User>`.
fn label(name: &str, type_name: &str) -> String {
    printable(if type_name.starts_with(name) { type_name } else { name })
}

/// A type's name without the modules: `Arc<dyn Mailer>`.
fn short(type_name: &str) -> String {
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let pieces = type_name.split_inclusive(|c| !in_path(c));
    pieces.map(|piece| piece.rsplit("::").next().unwrap_or_default()).collect()
}

/// A name as it can stand in a line: characters that control the output, or the direction of the text, are escaped.
fn printable(name: &str) -> String {
    let directs = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_special = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || directs(c);
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if is_special(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}
