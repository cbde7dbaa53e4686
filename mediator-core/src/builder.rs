//! From registrations and services to a mediator.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use crate::dispatch::{CallPlan, HandlerList, Instance, Table, TypeIdMap};
use crate::event_publisher::Strategy;
use crate::inject::{Request, ServiceMap};
use crate::mediator::Shared;
use crate::order::Arranger;
use crate::topology::HandlerNode;
use crate::{
    BuildError, BuildProblem, EventHandler, EventInfo, EventPublisher, Inject, InjectError, Mediator, Notification,
    Publisher, Registration, SequentialEventPublisher, Service, Services, Topology, order, registry,
};

/// Collects what a mediator is made of.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler(OrderPlaced)]
/// struct CountOrders { count: Arc<AtomicUsize> }
///
/// impl EventHandler<OrderPlaced> for CountOrders {
///     async fn handle(&self, _event: &OrderPlaced) {
///         self.count.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let count = Arc::new(AtomicUsize::new(0));
/// let mediator = Mediator::builder().provide(count.clone()).build()?;
/// # futures::executor::block_on(mediator.publish(OrderPlaced::new()))?;
/// # assert_eq!(count.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct MediatorBuilder {
    discovered: Vec<&'static Registration>,
    services: ServiceMap,
    explicit: Vec<(Registration, Option<Instance>)>,
    strategy: Strategy,
    strategy_name: &'static str,
    required: Vec<(EventInfo, &'static Location<'static>)>,
    problems: Vec<BuildProblem>,
}

/// A handler of one event, with its instance if it need not be built.
#[derive(Clone, Copy)]
struct Bind<'a> {
    registration: &'a Registration,
    plan: CallPlan,
    instance: Option<&'a Instance>,
}

impl<'a> Bind<'a> {
    fn new(registration: &'a Registration, instance: Option<&'a Instance>) -> Self {
        Self { registration, plan: registration.plan(), instance }
    }
}

impl MediatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            discovered: inventory::iter::<Registration>().collect(),
            services: ServiceMap::default(),
            explicit: Vec::new(),
            strategy: SequentialEventPublisher.into_strategy(),
            strategy_name: type_name::<SequentialEventPublisher>(),
            required: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Makes a value available for injection, by its exact type: provide an `Arc<dyn Mailer>` as
    /// `mailer as Arc<dyn Mailer>`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mediator_core::prelude::*;
    ///
    /// trait Mailer: Send + Sync {}
    /// struct Smtp;
    /// impl Mailer for Smtp {}
    ///
    /// let mediator = Mediator::builder().provide(Arc::new(Smtp) as Arc<dyn Mailer>).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// Providing two values of one type is an error of [`build`](Self::build). So is a `Publisher` or
    /// a `Mediator`: the mediator provides its own.
    #[track_caller]
    pub fn provide<T: Service>(mut self, service: T) -> Self {
        let second = Location::caller();
        if mediators_own::<T>() {
            self.problems.push(BuildProblem::ProvidedHandle { service: type_name::<T>(), location: second });
        } else if let Err(first) = self.services.insert(service, second) {
            self.problems.push(BuildProblem::DuplicateService { service: type_name::<T>(), first, second });
        }
        self
    }

    /// Sets the strategy of all publishes that do not bring their own; by default
    /// [`SequentialEventPublisher`].
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// let mediator = Mediator::builder().event_publisher(GroupEventPublisher).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn event_publisher<P: EventPublisher>(mut self, publisher: P) -> Self {
        self.strategy = publisher.into_strategy();
        self.strategy_name = type_name::<P>();
        self
    }

    /// Ignores the handlers that were collected at link time; those of [`bind`](Self::bind) and
    /// [`bind_handler`](Self::bind_handler) remain.
    pub fn without_discovery(mut self) -> Self {
        self.discovered.clear();
        self
    }

    /// Restricts discovery to the registrations that `keep` approves of; called again, to those
    /// that both do.
    ///
    /// So one program can play several roles, and a test can look at one module alone:
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// let mediator = Mediator::builder()
    ///     .discover_where(|registration| registration.crate_name() == "billing")
    ///     .build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// Other handlers may still name those left out in `after` and `before`; it then has no effect.
    pub fn discover_where(mut self, mut keep: impl FnMut(&Registration) -> bool) -> Self {
        self.discovered.retain(|registration| keep(registration));
        self
    }

    /// Registers a handler by hand, to be built from the services.
    ///
    /// Runs after the discovered handlers of the event, in the order of the calls, whatever an
    /// `#[event_handler(…)]` of its own says; but others may name it in their `after` or `before`.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[derive(Inject)]
    /// struct Audit;
    ///
    /// impl EventHandler<OrderPlaced> for Audit {
    ///     async fn handle(&self, _event: &OrderPlaced) {}
    /// }
    ///
    /// let mediator = Mediator::builder().without_discovery().bind::<OrderPlaced, Audit>().build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn bind<E: Notification, H: EventHandler<E> + Inject>(mut self) -> Self {
        self.explicit.push((Registration::bound::<E, H>(), None));
        self
    }

    /// Registers a ready-made handler, or an `Arc` of one to look into afterwards.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[derive(Default)]
    /// struct Count(AtomicUsize);
    ///
    /// impl EventHandler<OrderPlaced> for Count {
    ///     async fn handle(&self, _event: &OrderPlaced) {
    ///         self.0.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let count = Arc::new(Count::default());
    /// let mediator = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(count.clone()).build()?;
    /// futures::executor::block_on(mediator.publish(OrderPlaced))?;
    /// assert_eq!(count.0.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Runs after the discovered handlers of the event, in the order of the calls. A handler that
    /// publishes in turn takes a [downgraded](Publisher::downgrade) publisher.
    #[track_caller]
    pub fn bind_handler<E: Notification, H: EventHandler<E>>(mut self, handler: H) -> Self {
        self.explicit.push((Registration::ready_made::<E, H>(), Some(Arc::new(handler))));
        self
    }

    /// Makes it an error of [`build`](Self::build) if nobody handles `E`.
    ///
    /// Without it, publishing such an event is no error and does nothing.
    #[track_caller]
    pub fn require_handler<E: Notification>(mut self) -> Self {
        self.required.push((EventInfo::of::<E>(), Location::caller()));
        self
    }

    /// Makes it an error of [`build`](Self::build) if nobody handles one of the events that
    /// the macros declare in any crate of this program.
    ///
    /// Generic events are known only by the concrete types that handlers name.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// #[event]
    /// struct OrderPlaced {}
    ///
    /// let error = Mediator::builder().without_discovery().require_handlers_for_all_events().build().unwrap_err();
    /// assert!(error.to_string().contains("OrderPlaced"));
    /// ```
    #[track_caller]
    pub fn require_handlers_for_all_events(mut self) -> Self {
        let required_at = Location::caller();
        self.required.extend(registry::declared_events().map(|event| (event, required_at)));
        self
    }

    /// Builds all handlers and freezes who handles what.
    ///
    /// # Errors
    ///
    /// When the wiring is wrong in any way, with every problem and its place in the code: services
    /// that are missing, handlers that are registered twice or wait for each other, events without
    /// a handler that is required.
    pub fn build(self) -> Result<Mediator, BuildError> {
        let mut problems = Vec::new();
        let provided = self.services.provided();
        let topology = Arc::new(OnceLock::new());
        // The services include handles of the mediator, so it must have an address before it is
        // wired. If that fails, what was wired is dropped.
        let shared = Arc::new_cyclic(|shared| {
            let mediator = Mediator::member(shared.clone(), topology.clone());
            let wired = self.with_own(mediator.publisher()).with_own(mediator).wire();
            topology.get_or_init(|| wired.topology);
            problems = wired.problems;
            wired.shared
        });
        if problems.is_empty() {
            Ok(Mediator::owner(shared, topology))
        } else {
            Err(BuildError::new(problems, provided))
        }
    }

    /// Provides what the mediator provides by itself; `provide` refuses another one.
    fn with_own<T: Service>(mut self, service: T) -> Self {
        let _ = self.services.insert(service, Location::caller());
        self
    }

    fn wire(self) -> Wired {
        let binds = in_order(self.discovered, &self.explicit);
        let mut events = by_event(&binds);
        let mut problems = self.problems;
        problems.extend(events.iter().flat_map(|handlers| duplicates(handlers)));
        problems.extend(unhandled(self.required, &binds));
        let built = build_handlers(&binds, &self.services, &mut problems);
        arrange(&mut events, &mut problems);
        let table = if problems.is_empty() { table(&events, &built) } else { Table::new([]) };
        let topology = Topology::new(self.strategy_name, handled_events(&events, &built));
        Wired { shared: Shared { table, strategy: self.strategy }, topology, problems }
    }
}

/// Whether the mediator provides a `T` by itself.
fn mediators_own<T: 'static>() -> bool {
    [TypeId::of::<Publisher>(), TypeId::of::<Mediator>()].contains(&TypeId::of::<T>())
}

/// What a builder comes to.
struct Wired {
    shared: Shared,
    topology: Topology,
    problems: Vec<BuildProblem>,
}

/// What became of a handler type.
struct Built {
    /// `None` if it cannot be built.
    instance: Option<Instance>,
    /// What it asked for.
    requests: Vec<Request>,
}

/// All handlers, as they are called unless `after` or `before` says otherwise.
fn in_order<'a>(
    mut discovered: Vec<&'a Registration>,
    explicit: &'a [(Registration, Option<Instance>)],
) -> Vec<Bind<'a>> {
    order::sort(&mut discovered);
    let discovered = discovered.into_iter().map(|registration| Bind::new(registration, None));
    let explicit = explicit.iter().map(|(registration, instance)| Bind::new(registration, instance.as_ref()));
    discovered.chain(explicit).collect()
}

/// The handlers of each event.
fn by_event<'a>(binds: &[Bind<'a>]) -> Vec<Vec<Bind<'a>>> {
    let mut positions = TypeIdMap::default();
    let mut events: Vec<Vec<_>> = Vec::new();
    for bind in binds {
        let position = *positions.entry(bind.plan.event()).or_insert(events.len());
        if position == events.len() {
            events.push(Vec::new());
        }
        events[position].push(*bind);
    }
    events
}

/// Handlers of one event that would be called twice.
fn duplicates(handlers: &[Bind<'_>]) -> Vec<BuildProblem> {
    let mut seen = TypeIdMap::default();
    let mut problems = Vec::new();
    for Bind { registration, plan, .. } in handlers {
        let types = [plan.handler(), plan.shared_handler()];
        let first = types.map(|handler| seen.insert(handler, *registration)).into_iter().flatten().next();
        problems.extend(first.map(|first: &Registration| BuildProblem::DuplicateHandler {
            event_name: first.event_name(),
            first: first.handler_info(),
            second: registration.handler_info(),
        }));
    }
    problems
}

/// Events that must have a handler and have none.
fn unhandled(required: Vec<(EventInfo, &'static Location<'static>)>, binds: &[Bind<'_>]) -> Vec<BuildProblem> {
    if required.is_empty() {
        return Vec::new();
    }
    // An event that is required twice is reported once.
    let mut seen: TypeIdMap<()> = binds.iter().map(|bind| (bind.plan.event(), ())).collect();
    let unhandled = required.into_iter().filter(|(event, _)| seen.insert(event.type_id(), ()).is_none());
    unhandled.map(|(event, required_at)| BuildProblem::NoHandler { event, required_at }).collect()
}

/// One instance of each handler type, as far as they can be built.
fn build_handlers(binds: &[Bind<'_>], provided: &ServiceMap, problems: &mut Vec<BuildProblem>) -> TypeIdMap<Built> {
    let ready_made = binds.iter().filter_map(|bind| {
        let instance = bind.instance?.clone();
        Some((bind.plan.handler(), Built { instance: Some(instance), requests: Vec::new() }))
    });
    let mut built: TypeIdMap<_> = ready_made.collect();
    for Bind { registration, plan, .. } in binds {
        built.entry(plan.handler()).or_insert_with(|| build_handler(registration, provided, problems));
    }
    built
}

fn build_handler(registration: &Registration, provided: &ServiceMap, problems: &mut Vec<BuildProblem>) -> Built {
    let services = Services::new(provided);
    let injected = registration.inject(&services);
    let requests = services.into_requests();
    let handler = registration.handler_info();
    let missing = requests.iter().filter(|request| !request.found);
    problems.extend(missing.map(|request| BuildProblem::MissingService {
        handler,
        field: request.field,
        service: request.service,
    }));
    let instance = injected.and_then(|injected| {
        let own = |error: InjectError| {
            problems.extend(error.into_own().map(|error| BuildProblem::Handler { handler, error }));
        };
        injected.map_err(own).ok()
    });
    Built { instance, requests }
}

/// Puts the handlers of each event in the order of their calls.
fn arrange(events: &mut [Vec<Bind<'_>>], problems: &mut Vec<BuildProblem>) {
    let mut arranger = Arranger::new(problems);
    for handlers in events {
        let registrations: Vec<_> = handlers.iter().map(|bind| bind.registration).collect();
        *handlers = arranger.arrange(&registrations).into_iter().map(|position| handlers[position]).collect();
    }
}

fn table(events: &[Vec<Bind<'_>>], built: &TypeIdMap<Built>) -> Table {
    let list = |handlers: &Vec<Bind<'_>>| {
        let handlers = handlers.iter().filter_map(|Bind { registration, plan, instance }| {
            let instance = instance.or_else(|| built[&plan.handler()].instance.as_ref());
            instance.map(|instance| (*plan, instance.clone(), registration.handler_info()))
        });
        HandlerList::new(handlers.collect())
    };
    Table::new(events.iter().map(list))
}

/// The same for people to read.
fn handled_events(events: &[Vec<Bind<'_>>], built: &TypeIdMap<Built>) -> Vec<(EventInfo, Vec<HandlerNode>)> {
    let node = |(index, Bind { registration, plan, .. }): (usize, &Bind<'_>)| {
        let requests = &built[&plan.handler()].requests;
        HandlerNode::new(registration.handler_info(), plan.handler(), index + 1, requests)
    };
    let handled = events.iter().filter_map(|handlers| {
        Some((handlers.first()?.registration.event(), handlers.iter().enumerate().map(node).collect()))
    });
    handled.collect()
}

impl fmt::Debug for MediatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediatorBuilder")
            .field("discovered", &self.discovered)
            .field("explicit", &self.explicit.iter().map(|(registration, _)| registration).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
