//! What the macros hand over at link time, and what explicit binds become.

use std::any::{Any, TypeId};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::handled::Handled;
use super::handler_behavior::HandlerBehavior;
use super::order::{HandlerRef, Ordered, references};
use super::program;
use crate::dispatch::{Around, CallPlan, FnHandler, FnRequestHandler, Instance, MessageInfo, StaticPlan};
#[cfg(feature = "durable")]
use crate::durable::options::DurableOptions;
use crate::errors::build_error::Side;
use crate::event::info::EventInfo;
use crate::handler::event_handler::{EventHandler, VisitHandler};
use crate::handler::info::HandlerInfo;
use crate::request::info::RequestInfo;
use crate::request::request::Request;
use crate::request::request_handler::{Answer, RequestHandler, VisitRequestHandler};
use crate::services::inject::{Inject, InjectError};
use crate::services::module_service::ProvidedType;
use crate::services::services::{Offer, ProvidedInstance, Services};

inventory::collect!(HandlerRegistration);

/// How a handler is built of the services.
///
/// It may be a service too: then there is one instance, whoever asks for it.
// Functions that know the handler's type do as little as they can, since they are compiled for each handler.
#[derive(Clone, Copy)]
pub(crate) struct Injection {
    make: fn(&Services<'_>, &[&'static str]) -> Result<Instance, InjectError>,
    /// Of a function, by their names.
    parameters: &'static [&'static str],
    /// An `Arc` of the handler.
    service: ProvidedType,
    instance: fn(&(dyn Any + Send + Sync)) -> Option<Instance>,
}

impl Injection {
    pub(crate) const fn of<H: Inject + Send + Sync + 'static>() -> Self {
        Self { make: make::<H>, parameters: &[], service: ProvidedType::of::<Arc<H>>(), instance: instance::<H> }
    }

    /// The instance that the builder or a module provides, or else a new one.
    ///
    /// # Errors
    ///
    /// When a module cannot make it, or when a service is missing.
    pub(crate) fn inject(&self, services: &Services<'_>) -> Result<Instance, InjectError> {
        match services.provided(self.service)?.and_then(|service| (self.instance)(&*service)) {
            Some(instance) => Ok(instance),
            None => (self.make)(services, self.parameters),
        }
    }
}

// Not `?` nor `map`: of what is compiled for each handler, every function counts.
fn make<H: Inject + Send + Sync + 'static>(
    services: &Services<'_>,
    parameters: &[&'static str],
) -> Result<Instance, InjectError> {
    match H::__inject_named(services, parameters) {
        Ok(handler) => Ok(Arc::new(handler)),
        Err(error) => Err(error),
    }
}

fn instance<H: Send + Sync + 'static>(service: &(dyn Any + Send + Sync)) -> Option<Instance> {
    match service.downcast_ref::<Arc<H>>() {
        Some(handler) => Some(handler.clone()),
        None => None,
    }
}

/// A handler of an event or a request, an observer, a service of a module, or a behavior, as it was registered; what
/// [`discover_where`](crate::MediatorBuilder::discover_where) chooses from.
#[derive(Clone, Copy)]
pub struct Registration {
    info: HandlerInfo,
    kind: Kind,
    order: i32,
}

#[derive(Clone, Copy)]
enum Kind {
    Handler(fn() -> &'static StaticPlan),
    Service,
    Behavior,
}

impl Registration {
    /// A service of a module.
    pub(crate) const fn of_service(info: HandlerInfo) -> Self {
        Self { info, kind: Kind::Service, order: 0 }
    }

    /// A behavior.
    pub(crate) const fn of_behavior(info: HandlerInfo) -> Self {
        Self { info, kind: Kind::Behavior, order: 0 }
    }

    /// The name: the path of the type or function, or what `name = "…"` says.
    #[must_use]
    pub fn handler_name(&self) -> &'static str {
        self.info.name
    }

    /// The event it handles; `None` for an observer, which handles every event, and for what handles none.
    #[must_use]
    pub fn event(&self) -> Option<EventInfo> {
        match self.message()? {
            MessageInfo::Event(event) => Some(event),
            MessageInfo::AnyEvent | MessageInfo::Request(_) => None,
        }
    }

    /// The name of the event it handles; `any event` for an observer, `no event` for what handles none.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        match self.message() {
            Some(MessageInfo::Event(event)) => event.name(),
            Some(MessageInfo::AnyEvent) => "any event",
            Some(MessageInfo::Request(_)) | None => "no event",
        }
    }

    /// The request it handles, if it handles one.
    #[must_use]
    pub fn request(&self) -> Option<RequestInfo> {
        match self.message()? {
            MessageInfo::Request(request) => Some(request),
            MessageInfo::Event(_) | MessageInfo::AnyEvent => None,
        }
    }

    fn message(&self) -> Option<MessageInfo> {
        match self.kind {
            Kind::Handler(plan) => Some(plan().message()),
            Kind::Service | Kind::Behavior => None,
        }
    }

    /// Whether it is a service of a module, not a handler.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self.kind, Kind::Service)
    }

    /// Whether it is a behavior.
    #[must_use]
    pub fn is_behavior(&self) -> bool {
        matches!(self.kind, Kind::Behavior)
    }

    /// The crate that registers the handler, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.info.crate_name()
    }

    /// The module that registers the handler, from the crate down.
    #[must_use]
    pub fn module_path(&self) -> &'static str {
        self.info.module_path
    }

    /// Where the handler is registered.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.info.location
    }

    /// The declared `order`, 0 by default.
    #[must_use]
    pub fn order(&self) -> i32 {
        self.order
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("handler", &format_args!("{}", self.info))
            .field("handles", &self.request().map_or(self.event_name(), |request| request.name()))
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// What the macros submit for a handler.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct HandlerRegistration {
    registration: Registration,
    has_given_name: bool,
    is_named_instance: bool,
    is_manual: bool,
    /// Registered by hand, at the place of the call that binds it.
    is_bound: bool,
    version: &'static str,
    /// Among those that are registered at one place: the methods of a block that a macro writes.
    position: u32,
    after: &'static [HandlerRef],
    before: &'static [HandlerRef],
    /// Outermost first.
    around: &'static [fn() -> HandlerBehavior],
    #[cfg(feature = "durable")]
    durable: Option<&'static DurableOptions>,
    plan: fn() -> &'static StaticPlan,
    injection: Option<Injection>,
}

impl HandlerRegistration {
    /// A registration at the caller's place; what the macros submit for a struct or an impl block.
    // One call, since compiling a handler costs more with each.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new<E, H>(name: &'static str, module_path: &'static str, version: &'static str) -> Self
    where
        E: Handled + ?Sized,
        H: EventHandler<E> + Inject,
    {
        Self::at_caller(name, module_path, version, E::plan_of_type::<H>, Some(Injection::of::<H>()))
    }

    /// The same for a function or a method, which `item` is.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn function<E, F, Item>(
        _item: Item,
        name: &'static str,
        module_path: &'static str,
        version: &'static str,
    ) -> Self
    where
        E: Handled + ?Sized,
        F: FnHandler<E>,
        Item: Copy + 'static,
    {
        let injection = Injection::of::<F::Receiver>();
        Self::at_caller(name, module_path, version, E::plan_of_fn::<F, Item>, Some(injection))
    }

    /// The same for a handler of a request.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn request<R, H>(name: &'static str, module_path: &'static str, version: &'static str) -> Self
    where
        R: Request,
        H: RequestHandler<R> + Inject,
    {
        Self::at_caller(name, module_path, version, of_request::<R, H>, Some(Injection::of::<H>()))
    }

    /// The same for a handler of a request that is a function or a method.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn request_function<R, F, T, Item>(
        _item: Item,
        name: &'static str,
        module_path: &'static str,
        version: &'static str,
    ) -> Self
    where
        R: Request,
        F: FnRequestHandler<R, Returned = T>,
        T: Answer<R, R::Output>,
        Item: Copy + 'static,
    {
        let injection = Injection::of::<F::Receiver>();
        Self::at_caller(name, module_path, version, of_request_fn::<R, F, T, Item>, Some(injection))
    }

    #[track_caller]
    const fn at_caller(
        name: &'static str,
        module_path: &'static str,
        version: &'static str,
        plan: fn() -> &'static StaticPlan,
        injection: Option<Injection>,
    ) -> Self {
        let info = HandlerInfo { name, module_path, location: Location::caller() };
        Self {
            registration: Registration { info, kind: Kind::Handler(plan), order: 0 },
            has_given_name: false,
            is_named_instance: false,
            is_manual: false,
            is_bound: false,
            version,
            position: 0,
            after: &[],
            before: &[],
            around: &[],
            #[cfg(feature = "durable")]
            durable: None,
            plan,
            injection,
        }
    }

    /// Of a function whose injected parameters have these names.
    #[doc(hidden)]
    #[must_use]
    pub const fn parameters(mut self, names: &'static [&'static str]) -> Self {
        if let Some(injection) = &mut self.injection {
            injection.parameters = names;
        }
        self
    }

    /// With the user's `name = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.registration.info.name = name;
        self.has_given_name = true;
        self
    }

    /// With the user's `manual`: not discovered.
    #[doc(hidden)]
    #[must_use]
    pub const fn manual(mut self) -> Self {
        self.is_manual = true;
        self
    }

    /// With the user's `order = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn order_by(mut self, order: i32) -> Self {
        self.registration.order = order;
        self
    }

    /// A method that comes behind so many others in its block.
    #[doc(hidden)]
    #[must_use]
    pub const fn behind(mut self, others: u32) -> Self {
        self.position = others;
        self
    }

    /// With the user's `after = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn after(mut self, handlers: &'static [HandlerRef]) -> Self {
        self.after = handlers;
        self
    }

    /// With the user's `before = …`.
    #[doc(hidden)]
    #[must_use]
    pub const fn before(mut self, handlers: &'static [HandlerRef]) -> Self {
        self.before = handlers;
        self
    }

    /// With the user's `retry(…)` and `timeout = …`, outermost first.
    #[doc(hidden)]
    #[must_use]
    pub const fn around(mut self, behaviors: &'static [fn() -> HandlerBehavior]) -> Self {
        self.around = behaviors;
        self
    }

    /// With the user's `durable` and what belongs to it.
    #[cfg(feature = "durable")]
    #[doc(hidden)]
    #[must_use]
    pub const fn durable(mut self, options: &'static DurableOptions) -> Self {
        self.durable = Some(options);
        self
    }

    /// `bind`: the handler named by its type.
    #[track_caller]
    pub(crate) fn bound<E: Handled + ?Sized, H: EventHandler<E> + Inject>() -> Self {
        Self { injection: Some(Injection::of::<H>()), ..Self::of_type::<E, H>() }
    }

    /// `bind_request`: the same for a request.
    #[track_caller]
    pub(crate) fn bound_request<R: Request, H: RequestHandler<R> + Inject>() -> Self {
        Self { injection: Some(Injection::of::<H>()), ..Self::of_request_type::<R, H>() }
    }

    #[track_caller]
    fn of_type<E: Handled + ?Sized, H: EventHandler<E>>() -> Self {
        Self::named_by_type::<H>(E::plan_of_type::<H>)
    }

    #[track_caller]
    fn of_request_type<R: Request, H: RequestHandler<R>>() -> Self {
        Self::named_by_type::<H>(of_request::<R, H>)
    }

    #[track_caller]
    fn named_by_type<H>(plan: fn() -> &'static StaticPlan) -> Self {
        let HandlerInfo { name, module_path, .. } = HandlerInfo::of_type::<H>();
        Self { is_bound: true, ..Self::at_caller(name, module_path, "", plan, None) }
    }

    /// `bind_fn`: the same handler, registered at another place; explicit binds have an order of their own.
    pub(crate) fn rebound(&self, location: &'static Location<'static>) -> Self {
        let info = HandlerInfo { location, ..self.registration.info };
        let registration = Registration { info, order: 0, ..self.registration };
        Self { registration, is_bound: true, after: &[], before: &[], ..*self }
    }

    /// `bind_handler_named`: one of several instances of a type.
    pub(crate) fn named_instance(self, name: &'static str) -> Self {
        Self { is_named_instance: true, ..self.named(name) }
    }

    /// Whether there is nothing to build.
    pub(crate) fn is_ready_made(&self) -> bool {
        self.injection.is_none()
    }

    pub(crate) fn position(&self) -> u32 {
        self.position
    }

    pub(crate) fn is_named_instance(&self) -> bool {
        self.is_named_instance
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(crate) fn info(&self) -> HandlerInfo {
        self.registration.info
    }

    pub(crate) fn name(&self) -> &'static str {
        self.registration.info.name()
    }

    /// The name of the event or the request.
    pub(crate) fn message_name(&self) -> &'static str {
        self.registration.request().map_or_else(|| self.registration.event_name(), |request| request.name())
    }

    pub(crate) fn is_of_request(&self) -> bool {
        self.plan().is_of_request()
    }

    pub(crate) fn is_observer(&self) -> bool {
        matches!(self.plan().message, MessageInfo::AnyEvent)
    }

    /// Whether it is registered for `bind` and `bind_fn` only.
    pub(crate) fn is_manual(&self) -> bool {
        self.is_manual
    }

    pub(crate) fn is_bound(&self) -> bool {
        self.is_bound
    }

    pub(crate) fn has_given_name(&self) -> bool {
        self.has_given_name
    }

    /// The version of the package that registers the handler, as far as that is known.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// The behaviors that its own options put around it, outermost first.
    pub(crate) fn own_behaviors(&self) -> impl Iterator<Item = Around> {
        self.around.iter().map(|behavior| behavior().around(self.info()))
    }

    #[cfg(feature = "durable")]
    pub(crate) fn durable_options(&self) -> Option<&'static DurableOptions> {
        self.durable
    }

    pub(crate) fn is_durable(&self) -> bool {
        #[cfg(feature = "durable")]
        return self.durable.is_some();
        #[cfg(not(feature = "durable"))]
        false
    }

    /// Its earlier names, if it is durable.
    pub(crate) fn aliases(&self) -> &'static [&'static str] {
        #[cfg(feature = "durable")]
        return self.durable.map_or(&[], |durable| durable.aliases);
        #[cfg(not(feature = "durable"))]
        &[]
    }

    pub(crate) fn plan(&self) -> CallPlan {
        CallPlan::of((self.plan)())
    }

    pub(crate) fn inject(&self, services: &Services<'_>) -> Option<Result<Instance, InjectError>> {
        self.injection.map(|injection| injection.inject(services))
    }
}

impl Ordered for HandlerRegistration {
    fn identity(&self) -> TypeId {
        self.plan().identity
    }

    fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
        references(self.after, self.before)
    }
}

fn of_request<R: Request, H: RequestHandler<R>>() -> &'static StaticPlan {
    const { &StaticPlan::of_request::<R, H>() }
}

fn of_request_fn<R, F, T, Item>() -> &'static StaticPlan
where
    R: Request,
    F: FnRequestHandler<R, Returned = T>,
    T: Answer<R, R::Output>,
    Item: 'static,
{
    const { &StaticPlan::of_request_fn::<R, F, Item>() }
}

/// A handler that the user made.
pub(crate) struct ReadyMade {
    pub(crate) registration: HandlerRegistration,
    pub(crate) instance: Instance,
    /// The service that is an `Arc` of this type, if the builder was given one, and where.
    pub(crate) provided: fn(&Offer) -> Option<ProvidedInstance>,
}

impl ReadyMade {
    #[track_caller]
    pub(crate) fn new<E: Handled + ?Sized, H: EventHandler<E>>(handler: H) -> Self {
        struct Bind(&'static Location<'static>);

        impl<E: Handled + ?Sized> VisitHandler<E> for Bind {
            type Output = ReadyMade;

            fn visit<H: EventHandler<E>>(self, handler: Arc<H>) -> ReadyMade {
                let registration = HandlerRegistration::of_type::<E, H>().rebound(self.0);
                ReadyMade { registration, instance: handler, provided: Offer::instance::<H> }
            }
        }

        H::__visit(Arc::new(handler), Bind(Location::caller()))
    }

    #[track_caller]
    pub(crate) fn of_request<R: Request, H: RequestHandler<R>>(handler: H) -> Self {
        struct Bind(&'static Location<'static>);

        impl<R: Request> VisitRequestHandler<R> for Bind {
            type Output = ReadyMade;

            fn visit<H: RequestHandler<R>>(self, handler: Arc<H>) -> ReadyMade {
                let registration = HandlerRegistration::of_request_type::<R, H>().rebound(self.0);
                ReadyMade { registration, instance: handler, provided: Offer::instance::<H> }
            }
        }

        H::__visit(Arc::new(handler), Bind(Location::caller()))
    }
}

/// The registration of a function or a method, as the macros submitted it.
pub(crate) fn of_function(item: TypeId) -> Option<&'static HandlerRegistration> {
    program::registrations_of(item).first().copied()
}
