//! What the macros hand over at link time, and what explicit binds become.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::dispatch::{CallPlan, Instance};
use crate::order::{HandlerRef, Side};
use crate::{EventHandler, Inject, InjectError, Notification, Services};

inventory::collect!(Registration);
inventory::collect!(EventRegistration);

type InjectFn = fn(&Services<'_>) -> Result<Instance, InjectError>;

/// One handler of one event, as it was registered; what
/// [`discover_where`](crate::MediatorBuilder::discover_where) chooses from.
#[derive(Clone)]
pub struct Registration {
    handler: HandlerInfo,
    order: i32,
    after: &'static [HandlerRef],
    before: &'static [HandlerRef],
    event: fn() -> EventInfo,
    plan: fn() -> CallPlan,
    inject: Option<InjectFn>,
}

impl Registration {
    /// A registration at the caller's place; what the macros submit.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new<E, H>(handler_name: &'static str, module_path: &'static str) -> Self
    where
        E: Notification,
        H: EventHandler<E> + Inject,
    {
        Self {
            handler: HandlerInfo { name: handler_name, module_path, location: Location::caller() },
            order: 0,
            after: &[],
            before: &[],
            event: EventInfo::of::<E>,
            plan: CallPlan::new::<E, H>,
            inject: Some(inject::<H>),
        }
    }

    /// The same with the user's `order = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn order_by(mut self, order: i32) -> Self {
        self.order = order;
        self
    }

    /// The same with the user's `after = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn after(mut self, handlers: &'static [HandlerRef]) -> Self {
        self.after = handlers;
        self
    }

    /// The same with the user's `before = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn before(mut self, handlers: &'static [HandlerRef]) -> Self {
        self.before = handlers;
        self
    }

    /// `bind`: the handler named by its type.
    #[track_caller]
    pub(crate) fn bound<E: Notification, H: EventHandler<E> + Inject>() -> Self {
        Self { inject: Some(inject::<H>), ..Self::ready_made::<E, H>() }
    }

    /// `bind_handler`: nothing to build.
    #[track_caller]
    pub(crate) fn ready_made<E: Notification, H: EventHandler<E>>() -> Self {
        let name = type_name::<H>();
        // An `Arc` of a handler goes by the handler's name.
        let shared = name.strip_prefix("alloc::sync::Arc<").and_then(|name| name.strip_suffix('>'));
        let name = shared.unwrap_or(name);
        let module_path = name.rsplit_once("::").map_or("", |(module, _)| module);
        Self {
            handler: HandlerInfo { name, module_path, location: Location::caller() },
            order: 0,
            after: &[],
            before: &[],
            event: EventInfo::of::<E>,
            plan: CallPlan::new::<E, H>,
            inject: None,
        }
    }

    /// The handler's name: the path of its type or function, or what `name = "…"` says.
    #[must_use]
    pub fn handler_name(&self) -> &'static str {
        self.handler.name
    }

    /// The event it handles.
    #[must_use]
    pub fn event(&self) -> EventInfo {
        (self.event)()
    }

    /// The name of the event it handles.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        self.event().name
    }

    /// The crate that registers the handler, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.handler.crate_name()
    }

    /// The module that registers the handler, from the crate down.
    #[must_use]
    pub fn module_path(&self) -> &'static str {
        self.handler.module_path
    }

    /// Where the handler is registered.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.handler.location
    }

    /// The declared `order`, 0 by default.
    #[must_use]
    pub fn order(&self) -> i32 {
        self.order
    }

    /// The handlers named in `after` and `before`.
    pub(crate) fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
        let after = self.after.iter().map(|handler| (Side::After, handler));
        after.chain(self.before.iter().map(|handler| (Side::Before, handler)))
    }

    pub(crate) fn plan(&self) -> CallPlan {
        (self.plan)()
    }

    pub(crate) fn inject(&self, services: &Services<'_>) -> Option<Result<Instance, InjectError>> {
        self.inject.map(|inject| inject(services))
    }

    pub(crate) fn handler_info(&self) -> HandlerInfo {
        self.handler
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("handler", &format_args!("{}", self.handler))
            .field("event_name", &self.event_name())
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

fn inject<H: Inject + Send + Sync + 'static>(services: &Services<'_>) -> Result<Instance, InjectError> {
    // Not `map`: of what is compiled for each handler, every function counts.
    match H::inject(services) {
        Ok(handler) => Ok(Arc::new(handler)),
        Err(error) => Err(error),
    }
}

/// An event type that a macro declared; known even if nobody handles it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct EventRegistration {
    event: fn() -> EventInfo,
}

impl EventRegistration {
    #[must_use]
    pub const fn new<E: Notification>() -> Self {
        Self { event: EventInfo::of::<E> }
    }

    pub(crate) fn event(&self) -> EventInfo {
        (self.event)()
    }
}

/// The events that the macros declare in all linked crates, in an order that does not depend on the
/// linker.
pub(crate) fn declared_events() -> impl Iterator<Item = EventInfo> {
    let mut events: Vec<_> = inventory::iter::<EventRegistration>().map(EventRegistration::event).collect();
    events.sort_by_key(EventInfo::sort_key);
    events.into_iter()
}

/// What is known of an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventInfo {
    name: &'static str,
    type_name: &'static str,
    type_id: TypeId,
    location: Option<&'static Location<'static>>,
}

impl EventInfo {
    pub(crate) fn of<E: Notification>() -> Self {
        Self {
            name: E::event_name(),
            type_name: type_name::<E>(),
            type_id: TypeId::of::<E>(),
            location: E::declared_at(),
        }
    }

    /// The event's name: the path of its type, or what `name = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The Rust path of the type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The crate that declares the type, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        crate_of(self.type_name)
    }

    /// Where the type is declared; `None` if `Notification` was implemented by hand.
    #[must_use]
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    pub(crate) fn type_id(&self) -> TypeId {
        self.type_id
    }

    pub(crate) fn sort_key(&self) -> impl Ord + use<> {
        let place = self.location.map(|location| (location.file(), location.line(), location.column()));
        (self.crate_name(), place, self.type_name)
    }
}

/// `` `path::Event` (src/file.rs:12:1)``
impl fmt::Display for EventInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        self.location.map_or(Ok(()), |location| write!(f, " ({location})"))
    }
}

fn crate_of(path: &'static str) -> &'static str {
    path.split(':').next().unwrap_or_default()
}

/// What is known of a handler while events are published.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// fn ship(_event: &OrderPlaced) {}
///
/// let mediator = Mediator::builder().without_discovery().bind::<OrderPlaced, ship>().build()?;
/// let handler = mediator.topology().events().iter().flat_map(|event| event.handlers()).next().unwrap().handler();
/// assert!(handler.name().ends_with("::ship"));
/// assert!(handler.name().starts_with(handler.module_path()));
/// assert!(handler.module_path().starts_with(handler.crate_name()));
/// println!("{handler}, line {}", handler.location().line());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerInfo {
    name: &'static str,
    module_path: &'static str,
    location: &'static Location<'static>,
}

impl HandlerInfo {
    /// The handler's name: the path of its type or function, or what `name = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The crate that registers the handler, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        crate_of(self.module_path)
    }

    /// The module that registers the handler, from the crate down.
    #[must_use]
    pub fn module_path(&self) -> &'static str {
        self.module_path
    }

    /// Where the handler is registered.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

/// `path::Handler (src/file.rs:12:1)`
impl fmt::Display for HandlerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name, self.location)
    }
}
