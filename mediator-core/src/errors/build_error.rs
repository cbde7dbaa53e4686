//! What is wrong with the wiring.

use std::fmt;
use std::panic::Location;

use super::chain;
use crate::event::info::EventInfo;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
use crate::handler::service_info::ServiceInfo;

/// Every problem that [`build`](crate::MediatorBuilder::build) found, each with its place.
///
/// `{:#}` and `Debug`, which is what `unwrap` and a `main` that returns an error print, tell the causes of what cannot be made as
/// well.
///
/// ```
/// use std::sync::Arc;
/// use mediator_core::{BuildProblem, prelude::*};
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[derive(Inject)]
/// struct Audit { journal: Arc<Vec<String>> }
///
/// impl EventHandler<OrderPlaced> for Audit {
///     async fn handle(&self, _event: &OrderPlaced) {}
/// }
///
/// let error = Mediator::builder().without_discovery().bind::<OrderPlaced, Audit>().build().unwrap_err();
/// let [BuildProblem::MissingService { handler, field, service, .. }] = error.problems() else { panic!("{error}") };
/// assert!(handler.name().ends_with("::Audit"));
/// assert_eq!(*field, Some("journal"));
/// assert!(service.starts_with("alloc::sync::Arc<"));
/// ```
pub struct BuildError {
    problems: Vec<BuildProblem>,
    provided: Vec<Provided>,
}

/// A service that the builder was given.
pub(crate) struct Provided {
    pub(crate) service: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl BuildError {
    pub(crate) fn new(problems: Vec<BuildProblem>, provided: Vec<Provided>) -> Self {
        Self { problems, provided }
    }

    /// The problems, all of them.
    #[must_use]
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the mediator cannot be built, there is 1 problem:")?,
            count => write!(f, "the mediator cannot be built, there are {count} problems:")?,
        }
        for problem in &self.problems {
            if f.alternate() { write!(f, "\n- {problem:#}") } else { write!(f, "\n- {problem}") }?;
        }
        // What was provided as another type than it is asked for is the likeliest mistake.
        if self.problems.iter().any(|problem| problem.is_missing_service()) {
            for (index, Provided { service, location }) in self.provided.iter().enumerate() {
                let before = if index == 0 { "\nprovided are" } else { "," };
                write!(f, "{before} `{service}` ({location})")?;
            }
        }
        Ok(())
    }
}

/// As `{:#}`.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems.iter().find_map(|problem| match problem {
            // The error's own text is part of `Display`.
            BuildProblem::Handler { error, .. }
            | BuildProblem::Service { error, .. }
            | BuildProblem::Behavior { error, .. } => error.source(),
            _ => None,
        })
    }
}

/// One thing that is wrong with the wiring; see the example at [`BuildError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildProblem {
    /// A handler needs a service that was not provided.
    #[non_exhaustive]
    MissingService {
        /// The handler.
        handler: HandlerInfo,
        /// The field or parameter, unless an `impl Inject` did not name one.
        field: Option<&'static str>,
        /// The type of the service.
        service: &'static str,
    },
    /// A handler is registered for one event, or request, twice.
    #[non_exhaustive]
    DuplicateHandler {
        /// The event or request.
        event_name: &'static str,
        /// The first registration.
        first: HandlerInfo,
        /// The second registration.
        second: HandlerInfo,
        /// Whether both were bound ready-made.
        ready_made: bool,
    },
    /// One piece of code was compiled into the program twice, and registers a handler each time.
    #[non_exhaustive]
    CompiledTwice {
        /// The event or request.
        event_name: &'static str,
        /// The first registration.
        first: HandlerInfo,
        /// The second registration.
        second: HandlerInfo,
        /// The versions of the package that registers them, if there are two.
        versions: Option<(&'static str, &'static str)>,
    },
    /// Two events have one name by `name = …`.
    #[non_exhaustive]
    DuplicateEventName {
        /// The first event.
        first: EventInfo,
        /// The second event.
        second: EventInfo,
        /// The name, of one of them perhaps an `alias`.
        name: &'static str,
    },
    /// Two requests have one name by `name = …`.
    #[non_exhaustive]
    DuplicateRequestName {
        /// The Rust path of the first request.
        first: &'static str,
        /// The Rust path of the second request.
        second: &'static str,
        /// The name.
        name: &'static str,
    },
    /// A request has two handlers, of which one would never be called.
    #[non_exhaustive]
    SecondRequestHandler {
        /// The request.
        request_name: &'static str,
        /// The first handler.
        first: HandlerInfo,
        /// The second handler.
        second: HandlerInfo,
    },
    /// A request has no handler, although all are discovered.
    #[non_exhaustive]
    NoRequestHandler {
        /// The request.
        request_name: &'static str,
        /// Where it is declared.
        declared_at: Option<&'static Location<'static>>,
    },
    /// Two handlers of one event have one name by `name = …`.
    #[non_exhaustive]
    DuplicateHandlerName {
        /// The event.
        event_name: &'static str,
        /// The first handler.
        first: HandlerInfo,
        /// The second handler.
        second: HandlerInfo,
    },
    /// Two instances of one handler type were bound, and neither is told apart by a name.
    #[non_exhaustive]
    DuplicateInstance {
        /// Where the first one is bound.
        first: HandlerInfo,
        /// Where the second one is bound.
        second: HandlerInfo,
    },
    /// A handler was bound ready-made, and another instance of its type provided as a service.
    #[non_exhaustive]
    ProvidedInstance {
        /// The handler, and where it is bound.
        handler: HandlerInfo,
        /// The type of the service.
        service: &'static str,
        /// Where the service is provided.
        provided_at: &'static Location<'static>,
    },
    /// `bind_fn` was given a function that neither `#[event_handler]` nor `#[request_handler]` stands on.
    #[non_exhaustive]
    UnknownFunction {
        /// The path of the function.
        function: &'static str,
        /// Where it was bound.
        location: &'static Location<'static>,
    },
    /// A test replaces a handler that nobody registered.
    #[non_exhaustive]
    NothingToReplace {
        /// The type of the handler, or the path of the function.
        handler: &'static str,
        /// The event; `any event` for an observer.
        event_name: &'static str,
        /// Where it is replaced.
        location: &'static Location<'static>,
        /// The handlers of the event.
        others: Vec<HandlerInfo>,
    },
    /// An event that must have a handler has none.
    #[non_exhaustive]
    NoHandler {
        /// The event.
        event: EventInfo,
        /// Where the builder was told so.
        required_at: &'static Location<'static>,
    },
    /// Two services of one type were provided.
    #[non_exhaustive]
    DuplicateService {
        /// The type of the service.
        service: &'static str,
        /// Where it was provided first.
        first: &'static Location<'static>,
        /// Where it was provided again.
        second: &'static Location<'static>,
    },
    /// Handlers of one event are to run after or before each other, in a circle.
    #[non_exhaustive]
    OrderCycle {
        /// The event.
        event_name: &'static str,
        /// Who asks for what, in the order of the calls that it would take.
        steps: Vec<OrderStep>,
    },
    /// A handler is to run after or before one that does not handle the event.
    #[non_exhaustive]
    UnknownHandler {
        /// The handler whose registration says so.
        handler: HandlerInfo,
        /// The event.
        event_name: &'static str,
        /// `after` or `before`.
        option: &'static str,
        /// The type that is named there.
        reference: &'static str,
        /// An event that this type does handle.
        handles: Option<&'static str>,
        /// The handler of the event with the most similar name.
        nearest: Option<HandlerInfo>,
    },
    /// A `Publisher` or a `Mediator` was provided, which the mediator does itself.
    #[non_exhaustive]
    ProvidedHandle {
        /// The type.
        service: &'static str,
        /// Where it was provided.
        location: &'static Location<'static>,
    },
    /// A service of a module needs a service that nobody provides.
    #[non_exhaustive]
    MissingServiceOfService {
        /// The service that needs it.
        by: ServiceInfo,
        /// The field or parameter, unless an `impl Inject` did not name one.
        field: Option<&'static str>,
        /// The type of the service.
        service: &'static str,
    },
    /// Two modules or more provide a service of one type.
    #[non_exhaustive]
    DuplicateModuleService {
        /// The type of the service.
        service: &'static str,
        /// Who provides it.
        modules: Vec<ServiceInfo>,
    },
    /// Services of modules need each other, in a circle.
    #[non_exhaustive]
    ServiceCircle {
        /// Each needs the next one, and the last one the first.
        services: Vec<ServiceInfo>,
    },
    /// A service of a module could not be made for a reason of its own.
    #[non_exhaustive]
    Service {
        /// The service.
        service: ServiceInfo,
        /// Its reason.
        error: BoxError,
    },
    /// A handler borrows one type twice, which it cannot have both times.
    #[non_exhaustive]
    BorrowedTwice {
        /// The handler.
        handler: HandlerInfo,
        /// The type.
        type_name: &'static str,
    },
    /// Two handlers that run at once borrow what only one of them can have.
    #[non_exhaustive]
    ConcurrentBorrow {
        /// The event.
        event_name: &'static str,
        /// The first handler.
        first: HandlerInfo,
        /// The second handler.
        second: HandlerInfo,
        /// The type.
        type_name: &'static str,
    },
    /// An observer borrows what not every publish lends.
    #[non_exhaustive]
    ObserverBorrows {
        /// The observer.
        handler: HandlerInfo,
        /// The parameter.
        parameter: &'static str,
        /// The type.
        type_name: &'static str,
    },
    /// There is a durable handler, and no outbox to record its deliveries in.
    #[non_exhaustive]
    NoOutbox {
        /// The handler.
        handler: HandlerInfo,
    },
    /// A second outbox was given.
    #[non_exhaustive]
    SecondOutbox {
        /// Where the first one was given.
        first: &'static Location<'static>,
        /// Where the second one was given.
        second: &'static Location<'static>,
    },
    /// A durable handler borrows what a worker does not lend.
    #[non_exhaustive]
    DurableBorrows {
        /// The handler.
        handler: HandlerInfo,
        /// The parameter.
        parameter: &'static str,
        /// The type.
        type_name: &'static str,
    },
    /// An event is external, and there is no bus that takes it to other services.
    #[non_exhaustive]
    NoExternalBus {
        /// The event.
        event: EventInfo,
    },
    /// A second bus was given.
    #[non_exhaustive]
    SecondExternalBus {
        /// Where the first one was given.
        first: &'static Location<'static>,
        /// Where the second one was given.
        second: &'static Location<'static>,
    },
    /// There is a bus, and no outbox to record in what goes there.
    #[non_exhaustive]
    BusWithoutOutbox {
        /// The name of the bus.
        bus: &'static str,
        /// Where it was given.
        location: &'static Location<'static>,
    },
    /// A durable handler of an external event has the name of the bus, and so would get its deliveries.
    #[non_exhaustive]
    NamedLikeBus {
        /// The handler.
        handler: HandlerInfo,
        /// The name of the bus.
        bus: &'static str,
    },
    /// A behavior is registered for one message, or for every message, twice.
    #[non_exhaustive]
    DuplicateBehavior {
        /// The event or request; `any message`.
        message_name: &'static str,
        /// The first registration.
        first: HandlerInfo,
        /// The second registration.
        second: HandlerInfo,
        /// Whether it is one piece of code, compiled into the program twice.
        compiled_twice: bool,
    },
    /// A behavior needs a service that nobody provides.
    #[non_exhaustive]
    MissingServiceOfBehavior {
        /// The behavior.
        behavior: HandlerInfo,
        /// The field, unless an `impl Inject` did not name one.
        field: Option<&'static str>,
        /// The type of the service.
        service: &'static str,
    },
    /// The `impl Inject` of a behavior failed for a reason of its own.
    #[non_exhaustive]
    Behavior {
        /// The behavior.
        behavior: HandlerInfo,
        /// Its reason.
        error: BoxError,
    },
    /// A behavior is to be after or before one that it cannot be.
    #[non_exhaustive]
    UnknownBehavior {
        /// The behavior whose registration says so.
        behavior: HandlerInfo,
        /// `after` or `before`.
        option: &'static str,
        /// The type that is named there.
        reference: &'static str,
        /// Whether that is a behavior, but one of them is around every message and so outside of the other.
        is_outside: bool,
    },
    /// Behaviors are to be after or before each other, in a circle.
    #[non_exhaustive]
    BehaviorCycle {
        /// The event or request; `any message`.
        message_name: &'static str,
        /// Who asks for what, from outside in.
        steps: Vec<OrderStep>,
    },
    /// An `impl Inject` failed for a reason of its own.
    #[non_exhaustive]
    Handler {
        /// The handler.
        handler: HandlerInfo,
        /// Its reason.
        error: BoxError,
    },
}

fn write_missing(
    f: &mut fmt::Formatter<'_>,
    by: &dyn fmt::Display,
    field: Option<&'static str>,
    service: &'static str,
) -> fmt::Result {
    write!(f, "{by} needs `{service}`")?;
    if let Some(field) = field {
        write!(f, " for `{field}`")?;
    }
    f.write_str(", which was not provided; add `.provide(…)` with a value of exactly this type")
}

/// The advice for code that was compiled twice.
const ONCE: &str = "declare its module in the library only, not with `mod` in `main.rs` as well, and let no development \
                    dependency of the crate depend on the crate itself";

/// Whether two types are one piece of code, compiled twice.
fn is_same_code(first: &EventInfo, second: &EventInfo) -> bool {
    first.type_name() == second.type_name() && first.location() == second.location()
}

/// The reason of what cannot be made, with its causes in the alternate form.
fn write_error(f: &mut fmt::Formatter<'_>, error: &BoxError) -> fmt::Result {
    if f.alternate() { chain::write_all(f, &**error, &mut chain::Told::new()) } else { write!(f, "{error}") }
}

/// A place that may be unknown.
struct Place(Option<&'static Location<'static>>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => location.fmt(f),
            None => f.write_str("implemented by hand"),
        }
    }
}

impl BuildProblem {
    fn is_missing_service(&self) -> bool {
        matches!(
            self,
            Self::MissingService { .. } | Self::MissingServiceOfService { .. } | Self::MissingServiceOfBehavior { .. }
        )
    }
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingService { handler, field, service } => {
                write_missing(f, &format_args!("handler {handler}"), *field, service)
            }
            Self::MissingServiceOfService { by, field, service } => {
                write_missing(f, &format_args!("service {by}"), *field, service)
            }
            Self::DuplicateModuleService { service, modules } => {
                write!(f, "`{service}` is provided by more than one module:")?;
                modules.iter().try_for_each(|module| write!(f, "\n    {module}"))?;
                f.write_str("\n  keep one of them, or choose one by `.provide(…)` or `.discover_where(…)`")
            }
            Self::ServiceCircle { services } => {
                f.write_str("services need each other in a circle; remove one of these dependencies:")?;
                let next = services.iter().cycle().skip(1);
                services
                    .iter()
                    .zip(next)
                    .try_for_each(|(service, next)| write!(f, "\n    {service} needs `{}`", next.name()))
            }
            Self::Service { service, error } => {
                write!(f, "service {service} cannot be made: ")?;
                write_error(f, error)
            }
            Self::BorrowedTwice { handler, type_name } => write!(
                f,
                "handler {handler} borrows `{type_name}` twice, once as `&mut`; keep one of the two parameters"
            ),
            Self::ConcurrentBorrow { event_name, first, second, type_name } => write!(
                f,
                "handlers {first} and {second} of `{event_name}` run at once, and both borrow `{type_name}`, as `&mut` \
                 at least once; run them in order, as by `.event_publisher_for::<…>(SequentialEventPublisher)`"
            ),
            Self::ObserverBorrows { handler, parameter, type_name } => write!(
                f,
                "observer {handler} borrows `{type_name}` for `{parameter}`, which not every publish lends; \
                 make it an `Option<&…>` or an `Option<&mut …>`"
            ),
            Self::NoOutbox { handler } => write!(
                f,
                "handler {handler} is durable, but there is no outbox to record its deliveries in; add `.outbox(…)` with one of `mediator-outbox`, an `InMemoryOutbox` if nothing need survive the process"
            ),
            Self::SecondOutbox { first, second } => write!(
                f,
                "an outbox is given at {second} and already at {first}; a mediator has one, so make two mediators for two databases"
            ),
            Self::DurableBorrows { handler, parameter, type_name } => write!(
                f,
                "handler {handler} is durable and borrows `{type_name}` for `{parameter}`, which a worker does not lend: it lends `&DeliveryInfo`, the handles, and `&mut` of the outbox's connection, which an `InMemoryOutbox` does not have; have it injected, or lent by a behavior"
            ),
            Self::NoExternalBus { event } => write!(
                f,
                "event {event} is external, but there is no bus that takes it to other services; add `.external(…)`, as with a `NatsBridge` of `mediator-nats`, or let external events stay in this process by `.without_external()`"
            ),
            Self::SecondExternalBus { first, second } => write!(
                f,
                "a bus is given at {second} and already at {first}; a mediator has one, so write an `ExternalBus` that publishes to both"
            ),
            Self::BusWithoutOutbox { bus, location } => write!(
                f,
                "a bus, `{bus}`, is given at {location}, but there is no outbox to record in what goes there; add `.outbox(…)` with one of `mediator-outbox`"
            ),
            Self::NamedLikeBus { handler, bus } => write!(
                f,
                "handler {handler} of an external event is called `{bus}`, as is the bus, and would get the deliveries to it; give it another name, or another alias"
            ),
            Self::DuplicateHandler { event_name, first, second, .. } if first == second => write!(
                f,
                "handler {second} names `{event_name}` twice, once by an alias of the type; remove one of the two"
            ),
            Self::DuplicateHandler { event_name, first, second, ready_made } => {
                let place = first.location();
                write!(
                    f,
                    "handler {second} is already registered for `{event_name}` at {place}; remove one of the two"
                )?;
                let names = ", or tell two instances apart by `.bind_handler_named(…)`";
                if *ready_made { f.write_str(names) } else { Ok(()) }
            }
            Self::CompiledTwice { event_name, first, second, versions: Some((one, other)) } => write!(
                f,
                "two versions of the package of crate `{}`, {one} and {other}, are linked, and both register `{}` for \
                 `{event_name}`: at {} and at {}; depend on one of them only (`cargo tree --duplicates` shows who depends on which)",
                first.crate_name(),
                first.name(),
                first.location(),
                second.location()
            ),
            Self::CompiledTwice { event_name, first, versions: None, .. } => write!(
                f,
                "handler {first} of `{event_name}` was compiled into this program twice and would run twice; {ONCE}"
            ),
            Self::DuplicateEventName { first, second, .. } if is_same_code(first, second) => {
                write!(f, "event {first} was compiled into this program twice, as two types of one name; {ONCE}")
            }
            Self::DuplicateEventName { first, second, name } => write!(
                f,
                "event `{}` ({}) and event `{}` ({}) are both called `{name}`; a name given by `name = …` or `alias = […]` belongs to one event",
                first.type_name(),
                Place(first.location()),
                second.type_name(),
                Place(second.location()),
            ),
            Self::DuplicateRequestName { first, second, .. } if first == second => {
                write!(f, "request `{first}` was compiled into this program twice, as two types of one name; {ONCE}")
            }
            Self::DuplicateRequestName { first, second, name } => write!(
                f,
                "requests `{first}` and `{second}` are both called `{name}`; a name given by `name = …` belongs to one request"
            ),
            Self::SecondRequestHandler { request_name, first, second } => write!(
                f,
                "request `{request_name}` has two handlers, {first} and {second}, but a request has one; remove one of the two, \
                 or make it `#[request_handler(manual)]`"
            ),
            Self::NoRequestHandler { request_name, declared_at } => write!(
                f,
                "request `{request_name}` ({}) has no handler; register one, link the crate that does, by \
                 `link_modules!()` or `use the_crate as _;`, or allow it by `.allow_unhandled_request::<…>()`",
                Place(*declared_at)
            ),
            Self::DuplicateHandlerName { event_name, first, second } => write!(
                f,
                "handler {second} of `{event_name}` has the name of the one at {}; a name that is given belongs to one handler \
                 of an event",
                first.location()
            ),
            Self::DuplicateInstance { first, second } => write!(
                f,
                "handler {second} is bound with another instance than at {}; bind clones of one `Arc`, or tell the two apart by \
                 `.bind_handler_named(…)`",
                first.location()
            ),
            Self::ProvidedInstance { handler, service, provided_at } => write!(
                f,
                "handler {handler} is bound with another instance than the `{service}` that is provided at {provided_at}; bind a \
                 clone of that `Arc`, or tell the two apart by `.bind_handler_named(…)`"
            ),
            Self::UnknownFunction { function, location } => write!(
                f,
                "`{function}` is bound at {location}, but it has no `#[event_handler]` or `#[request_handler]`; \
                 add one, with `manual` to keep it out of discovery"
            ),
            Self::NothingToReplace { handler, event_name, location, others } => {
                write!(f, "`{handler}` is replaced at {location}, but nobody registered it for `{event_name}`")?;
                match &others[..] {
                    [] => f.write_str("; register it, or link the crate that does"),
                    others => {
                        f.write_str("; its handlers are")?;
                        others.iter().try_for_each(|other| write!(f, "\n    {other}"))
                    }
                }
            }
            Self::NoHandler { event, required_at } => write!(
                f,
                "event {event} has no handler, but {required_at} requires one; register a handler, or link the crate \
                 that does, by `link_modules!()` or `use the_crate as _;`"
            ),
            Self::DuplicateService { service, first, second } => write!(
                f,
                "a service of type `{service}` is provided at {second} and already at {first}; provide it once, \
                 or wrap one of them in a type of its own"
            ),
            Self::OrderCycle { event_name, steps } => {
                write!(f, "the order of the handlers of `{event_name}` is a cycle; take one of these back:")?;
                steps.iter().try_for_each(|step| write!(f, "\n    {step}"))
            }
            Self::UnknownHandler { handler, event_name, option, reference, handles, nearest } => {
                write!(f, "handler {handler} has `{option} = {reference}`, which does not handle `{event_name}`")?;
                if let Some(handles) = handles {
                    write!(f, " but `{handles}`")?;
                }
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => f.write_str("; no other handler does, take it out"),
                }
            }
            Self::ProvidedHandle { service, location } => {
                write!(f, "a `{service}` is provided at {location}, but the mediator provides its own; remove it")
            }
            Self::DuplicateBehavior { second, compiled_twice: true, .. } => write!(
                f,
                "behavior {second} was compiled into this program twice and would run twice; {ONCE}; and keep one version of \
                 its package (`cargo tree --duplicates`)"
            ),
            Self::DuplicateBehavior { message_name, first, second, .. } => write!(
                f,
                "behavior {second} is already around `{message_name}` at {}; remove one of the two",
                first.location()
            ),
            Self::MissingServiceOfBehavior { behavior, field, service } => {
                write_missing(f, &format_args!("behavior {behavior}"), *field, service)
            }
            Self::Behavior { behavior, error } => {
                write!(f, "behavior {behavior} cannot be built: ")?;
                write_error(f, error)
            }
            Self::UnknownBehavior { behavior, option, reference, is_outside: true } => write!(
                f,
                "behavior {behavior} has `{option} = {reference}`, but a behavior around every message is outside of those \
                 around one; take it out"
            ),
            Self::UnknownBehavior { behavior, option, reference, is_outside: false } => {
                write!(f, "behavior {behavior} has `{option} = {reference}`, which is no behavior; take it out")
            }
            Self::BehaviorCycle { message_name, steps } => {
                write!(f, "the order of the behaviors around `{message_name}` is a cycle; take one of these back:")?;
                steps.iter().try_for_each(|step| write!(f, "\n    {step}"))
            }
            Self::Handler { handler, error } => {
                write!(f, "handler {handler} cannot be built: ")?;
                write_error(f, error)
            }
        }
    }
}

/// How a handler names another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
}

impl Side {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Before => "before",
        }
    }
}

/// One link of a [cycle](BuildProblem::OrderCycle): what a handler says about its place.
#[derive(Clone, Copy, Debug)]
pub struct OrderStep {
    pub(crate) handler: HandlerInfo,
    pub(crate) side: Side,
    pub(crate) other: HandlerInfo,
}

impl OrderStep {
    /// The handler whose registration says it.
    #[must_use]
    pub fn handler(&self) -> &HandlerInfo {
        &self.handler
    }

    /// The handler that it names.
    #[must_use]
    pub fn other(&self) -> &HandlerInfo {
        &self.other
    }
}

/// `` `path::Handler` (src/file.rs:12:1) runs after `path::Other` ``
impl fmt::Display for OrderStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs {} `{}`", self.handler, self.side.as_str(), self.other.name())
    }
}
