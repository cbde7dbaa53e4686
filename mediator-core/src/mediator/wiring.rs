//! From what the builder was given to a mediator.

use std::any::TypeId;
use std::panic::Location;
use std::sync::{Arc, LazyLock, OnceLock};

use super::behaviors::Behaviors;
use super::builder::{ChosenStrategy, Explicit, MediatorBuilder, UnhandledRequests};
use super::handles::{HANDLES, Mediator};
#[cfg(feature = "durable")]
use super::{builder::ExternalEvents, durable};
#[cfg(feature = "durable")]
use crate::dispatch::Durable;
use crate::dispatch::{
    Borrow, CallPlan, Core, Entry, HandlerList, Instance, Link, MessageInfo, Strategy, Table, TypeIdMap, WeakCore,
    conflict,
};
use crate::errors::build_error::{BuildError, BuildProblem};
use crate::event::info::EventInfo;
use crate::registry::duplicates;
use crate::registry::order;
use crate::registry::program;
use crate::registry::registration::HandlerRegistration;
use crate::services::module_service::ModuleServices;
use crate::services::services::{Offer, ProvidedInstance, ServiceRequest, Services};
use crate::topology::{EventNode, HandlerNode, LazyTopology, RequestNode, ServiceNode, Topology};

/// See [`MediatorBuilder::build`].
pub(super) fn build(mut builder: MediatorBuilder) -> Result<Mediator, BuildError> {
    let provided = builder.offer.provided();
    let mut problems = Vec::new();
    let watch = builder.kit.watch();
    // The services include handles of the mediator, so it must have an address before it is
    // wired. If that fails, what was wired is dropped.
    let core = Arc::new_cyclic(|core| {
        let weak = Arc::new(WeakCore { core: core.clone(), topology: OnceLock::new() });
        let mediator = Mediator::of(Link::weak(weak.clone()));
        // `provide` has refused others of these types.
        let _ = builder.offer.insert(mediator.publisher(), Location::caller());
        let _ = builder.offer.insert(mediator.sender(), Location::caller());
        let _ = builder.offer.insert(mediator, Location::caller());
        let wired = wire(builder).unwrap_or_else(|found| {
            problems = found;
            Wired::default()
        });
        if let Some(topology) = wired.topology {
            weak.topology.get_or_init(|| topology);
        }
        Core {
            table: wired.table,
            requests: wired.requests,
            #[cfg(feature = "durable")]
            durable: wired.durable,
            weak,
            watch,
        }
    });
    if !problems.is_empty() {
        return Err(BuildError::new(problems, provided));
    }
    #[cfg(feature = "durable")]
    if let Some(outbox) = &core.durable.outbox {
        outbox.attach(&core.durable.handlers);
        core.durable.external.iter().for_each(|external| outbox.attach_external(external));
    }
    Ok(Mediator::of(Link::strong(core)))
}

/// The types of the handles, which every publish lends.
fn handles() -> Box<[TypeId]> {
    HANDLES.iter().map(|handle| handle()).collect()
}

#[derive(Default)]
struct Wired {
    table: Table,
    requests: Table,
    #[cfg(feature = "durable")]
    durable: Durable,
    /// None of what could not be wired.
    topology: Option<LazyTopology>,
}

fn wire(builder: MediatorBuilder) -> Result<Wired, Vec<BuildProblem>> {
    let MediatorBuilder { mut offer, explicit, strategy, strategies, required, mut problems, .. } = builder;
    #[cfg(feature = "durable")]
    let outbox = builder.outbox;
    #[cfg(feature = "durable")]
    let external = if builder.kit.records_durable() { builder.external } else { ExternalEvents::Stay };
    let strategy_of = |event: Option<TypeId>| event.and_then(|event| strategies.get(&event)).unwrap_or(&strategy);
    offer.modules = ModuleServices::new(&builder.module_services);
    problems.extend(offer.modules.duplicates(|service| offer.provides(service)));
    problems.extend(duplicates::of_event_names());
    problems.extend(duplicates::of_request_names());

    let mut bindings = in_order(&builder.discovered, &explicit);
    problems.extend(builder.kit.apply(&mut bindings));
    offer.bound = ready_made_services(&bindings);
    let (of_requests, of_events): (Vec<_>, Vec<_>) =
        bindings.iter().copied().partition(|binding| binding.registration.is_of_request());
    #[cfg(feature = "durable")]
    let external = durable::external(external, outbox.as_ref(), &of_events, &mut problems);
    #[cfg(feature = "durable")]
    let recorded = external.iter().flat_map(|external| external.events).map(|(event, _)| event.type_id());
    #[cfg(not(feature = "durable"))]
    let recorded = std::iter::empty();
    let (mut lists, requests) = (by_message(&of_events, recorded), by_message(&of_requests, std::iter::empty()));
    problems.extend(lists.iter().flat_map(|list| duplicates::of_handlers(&list.registrations())));
    problems.extend(requests.iter().flat_map(|list| duplicates::of_request_handlers(&list.registrations())));
    problems.extend(explicit.iter().filter_map(|bound| second_instance(bound, &offer)));
    if !builder.kit.is_record_only {
        problems.extend(unhandled(required, &of_events));
    }
    problems.extend(unhandled_requests(&builder.unhandled_requests, &requests));
    let behaviors = Behaviors::build(&builder.discovered_behaviors, builder.given_behaviors, &offer, &mut problems);
    let handles = handles();
    problems.extend(bindings.iter().flat_map(|binding| borrows_amiss(binding, &behaviors, &handles)));
    #[cfg(feature = "durable")]
    for binding in lists.iter().flat_map(|list| &list.durable) {
        problems.extend(durable::amiss(binding, &behaviors, outbox.as_ref(), &handles));
    }
    let built = build_handlers(&bindings, &offer, &mut problems);
    problems.extend(offer.modules.take_problems());
    arrange(&mut lists, &mut problems);
    problems.extend(lists.iter().filter_map(|list| concurrent_borrow(list, &behaviors, strategy_of(list.message))));
    if !problems.is_empty() {
        return Err(problems);
    }

    let completed = |list| Completed::new(list, &built, &behaviors);
    let events: Vec<_> = lists.iter().map(completed).collect();
    let requests: Vec<_> = requests.iter().map(completed).collect();
    let names: TypeIdMap<_> = strategies.iter().map(|(event, chosen)| (*event, chosen.name)).collect();
    let name_of = move |event| names.get(&event).copied().unwrap_or(strategy.name);
    let topology = topology(&events, &requests, &built, &offer, name_of);
    #[cfg(feature = "durable")]
    let durable =
        durable::handlers(&lists, &handles, outbox.as_ref(), external, |binding| entry(binding, &built, &behaviors));
    let event_list = |it: Completed<'_>| {
        let chosen = strategy_of(it.list.message);
        #[cfg(feature = "durable")]
        let strategy =
            durable::strategy(it.list, outbox.as_ref(), durable.external.as_ref(), &chosen.strategy, &chosen.boxed);
        #[cfg(not(feature = "durable"))]
        let strategy = chosen.strategy.clone();
        it.into_list(strategy, &handles)
    };
    Ok(Wired {
        table: Table::new(events.into_iter().map(event_list)),
        requests: Table::new(requests.into_iter().map(|it| it.into_list(Strategy::InOrder, &handles))),
        #[cfg(feature = "durable")]
        durable,
        topology: Some(topology),
    })
}

/// A handler, with its instance if it need not be built.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) registration: &'a HandlerRegistration,
    pub(super) plan: CallPlan,
    pub(super) instance: Option<&'a Instance>,
    /// Whether the plan and the instance are those of a test's stand-in.
    pub(super) is_stand_in: bool,
    /// Whether a worker calls it, not the publish.
    pub(super) is_durable: bool,
}

impl<'a> Binding<'a> {
    fn new(registration: &'a HandlerRegistration, instance: Option<&'a Instance>) -> Self {
        let (plan, is_durable) = (registration.plan(), registration.is_durable());
        Self { registration, plan, instance, is_stand_in: false, is_durable }
    }

    /// Whether its instance is the one of its type: it is not told apart by a name, nor a stand-in.
    fn stands_for_its_type(&self) -> bool {
        !self.registration.is_named_instance() && !self.is_stand_in
    }
}

/// The handlers of one event or request; without either, the observers alone.
pub(super) struct List<'a> {
    pub(super) message: Option<TypeId>,
    /// Those that a publish, or a send, calls.
    bindings: Vec<Binding<'a>>,
    /// Those that a worker calls.
    pub(super) durable: Vec<Binding<'a>>,
}

impl<'a> List<'a> {
    fn of(message: Option<TypeId>) -> Self {
        Self { message, bindings: Vec::new(), durable: Vec::new() }
    }

    /// All handlers, those that a worker calls last.
    fn all(&self) -> impl Iterator<Item = &Binding<'a>> {
        self.bindings.iter().chain(&self.durable)
    }

    fn event(&self) -> Option<EventInfo> {
        self.all().find_map(|binding| match binding.plan.message {
            MessageInfo::Event(event) => Some(event),
            MessageInfo::AnyEvent | MessageInfo::Request(_) => None,
        })
    }

    fn registrations(&self) -> Vec<&'a HandlerRegistration> {
        self.all().map(|binding| binding.registration).collect()
    }
}

/// All handlers, as they are called unless `after` or `before` says otherwise.
fn in_order<'a>(discovered: &[&'a HandlerRegistration], explicit: &'a [Explicit]) -> Vec<Binding<'a>> {
    let discovered = discovered.iter().map(|registration| Binding::new(registration, None));
    let explicit = explicit.iter().map(|bound| Binding::new(&bound.registration, bound.instance.as_ref()));
    discovered.chain(explicit).collect()
}

/// The handlers of each event, observers among them in their places; or of each request. What is recorded without a handler has a
/// list as well.
fn by_message<'a>(bindings: &[Binding<'a>], recorded: impl Iterator<Item = TypeId>) -> Vec<List<'a>> {
    let mut positions = TypeIdMap::default();
    let mut lists: Vec<List<'_>> = Vec::new();
    let observers = || bindings.iter().filter(|binding| binding.plan.message().is_none());
    if observers().next().is_some() {
        lists.push(List { bindings: observers().copied().collect(), ..List::of(None) });
    }
    for message in bindings.iter().filter_map(|binding| binding.plan.message()).chain(recorded) {
        positions.entry(message).or_insert_with(|| {
            lists.push(List::of(Some(message)));
            lists.len() - 1
        });
    }
    for binding in bindings {
        match binding.plan.message() {
            Some(message) if binding.is_durable => lists[positions[&message]].durable.push(*binding),
            Some(message) => lists[positions[&message]].bindings.push(*binding),
            None => {
                lists.iter_mut().filter(|list| list.message.is_some()).for_each(|list| list.bindings.push(*binding));
            }
        }
    }
    lists
}

/// Events that must have a handler and have none.
fn unhandled(required: Vec<(EventInfo, &'static Location<'static>)>, bindings: &[Binding<'_>]) -> Vec<BuildProblem> {
    if required.is_empty() {
        return Vec::new();
    }
    // An event that is required twice is reported once.
    let mut seen: TypeIdMap<()> = bindings.iter().filter_map(|binding| Some((binding.plan.message()?, ()))).collect();
    let unhandled = required.into_iter().filter(|(event, _)| seen.insert(event.type_id(), ()).is_none());
    unhandled.map(|(event, required_at)| BuildProblem::NoHandler { event, required_at }).collect()
}

/// Requests that have no handler, and may not be without.
fn unhandled_requests(allowed: &UnhandledRequests, handled: &[List<'_>]) -> Vec<BuildProblem> {
    let UnhandledRequests::AllowedOf(allowed) = allowed else { return Vec::new() };
    let handled: TypeIdMap<()> = handled.iter().filter_map(|list| Some((list.message?, ()))).collect();
    let unhandled = program::requests()
        .filter(|request| !handled.contains_key(&request.type_id()) && !allowed.contains_key(&request.type_id()));
    let problem = unhandled.map(|request| BuildProblem::NoRequestHandler {
        request_name: request.name(),
        declared_at: request.location(),
    });
    problem.collect()
}

/// What a handler borrows and cannot have, whatever is lent.
fn borrows_amiss(binding: &Binding<'_>, behaviors: &Behaviors, handles: &[TypeId]) -> Vec<BuildProblem> {
    let handler = binding.registration.info();
    let borrows = binding.plan.borrows;
    let twice = borrows
        .iter()
        .enumerate()
        .filter(|(index, borrow)| borrows[..*index].iter().any(|other| other.excludes(borrow)));
    let twice = twice.map(|(_, borrow)| BuildProblem::BorrowedTwice { handler, type_name: borrow.type_name() });
    let is_sure = |borrow: &Borrow| borrow.optional || borrow.is_of(handles);
    let is_observer = binding.plan.message().is_none();
    let from_outside = if is_observer { behaviors.borrows_from_outside(&binding.plan) } else { Vec::new() };
    let uncertain = from_outside.into_iter().filter(|borrow| !is_sure(borrow));
    let uncertain = uncertain.map(|borrow| BuildProblem::ObserverBorrows {
        handler,
        parameter: borrow.parameter(),
        type_name: borrow.type_name(),
    });
    twice.chain(uncertain).collect()
}

/// Handlers that the event's strategy runs at once, although they cannot both have what they borrow.
fn concurrent_borrow(list: &List<'_>, behaviors: &Behaviors, strategy: &ChosenStrategy) -> Option<BuildProblem> {
    if !strategy.strategy.is_concurrent() {
        return None;
    }
    let mut borrows = Vec::new();
    for (index, Binding { plan, .. }) in list.bindings.iter().enumerate() {
        borrows.extend(behaviors.borrows_from_outside(plan).into_iter().map(|borrow| (index, borrow)));
    }
    let conflict = conflict(&borrows)?;
    Some(BuildProblem::ConcurrentBorrow {
        event_name: list.bindings[conflict.first].registration.message_name(),
        first: list.bindings[conflict.first].registration.info(),
        second: list.bindings[conflict.second].registration.info(),
        type_name: conflict.borrow.type_name(),
    })
}

/// A handler type that was built, or given ready-made.
struct Built {
    /// `None` if it cannot be built.
    instance: Option<Instance>,
    /// What it asked for.
    requests: Vec<ServiceRequest>,
}

/// One instance of each handler type, as far as they can be built.
fn build_handlers(bindings: &[Binding<'_>], offer: &Offer, problems: &mut Vec<BuildProblem>) -> TypeIdMap<Built> {
    let mut built = ready_made(bindings, problems);
    // One that was given under a name of its own does not stand for its type, which others may still have to be built of.
    let unmade = bindings.iter().filter(|binding| binding.instance.is_none());
    for Binding { registration, plan, .. } in unmade {
        built.entry(plan.owner).or_insert_with(|| build_handler(registration, offer, problems));
    }
    built
}

/// The instances that stand for their types.
fn ready_made(bindings: &[Binding<'_>], problems: &mut Vec<BuildProblem>) -> TypeIdMap<Built> {
    let mut first_bound: TypeIdMap<Binding<'_>> = TypeIdMap::default();
    let mut built = TypeIdMap::default();
    for binding in bindings.iter().filter(|binding| binding.stands_for_its_type()) {
        let Some(instance) = binding.instance else { continue };
        let first = first_bound.entry(binding.plan.owner).or_insert(*binding);
        let is_same = first.instance.is_some_and(|first| Arc::ptr_eq(first, instance));
        // For one event or request they are reported as one handler that is registered twice.
        if !is_same && first.plan.message() != binding.plan.message() {
            let (first, second) = (first.registration.info(), binding.registration.info());
            problems.push(BuildProblem::DuplicateInstance { first, second });
        }
        let instance = Some(instance.clone());
        built.entry(binding.plan.owner).or_insert(Built { instance, requests: Vec::new() });
    }
    built
}

/// A handler that was bound ready-made, and provided as another instance.
fn second_instance(bound: &Explicit, offer: &Offer) -> Option<BuildProblem> {
    let ProvidedInstance { instance, service, location } = (bound.provided)(offer)?;
    let is_same = bound.instance.as_ref().is_some_and(|bound| Arc::ptr_eq(bound, &instance));
    let handler = bound.registration.info();
    (!is_same && !bound.registration.is_named_instance()).then_some(BuildProblem::ProvidedInstance {
        handler,
        service,
        provided_at: location,
    })
}

/// The ready-made handlers that may be services of modules as well: all that stand for their types.
fn ready_made_services(bindings: &[Binding<'_>]) -> TypeIdMap<Instance> {
    let of_their_types = bindings.iter().filter(|binding| binding.stands_for_its_type());
    of_their_types.filter_map(|binding| Some((binding.plan.receiver, binding.instance?.clone()))).collect()
}

fn build_handler(registration: &HandlerRegistration, offer: &Offer, problems: &mut Vec<BuildProblem>) -> Built {
    let (injected, requests) = Services::injected(offer, |services| registration.inject(services).transpose());
    let handler = registration.info();
    let missing = requests.iter().filter(|request| request.is_missing);
    problems.extend(missing.map(|request| BuildProblem::MissingService {
        handler,
        field: request.field,
        service: request.service,
    }));
    let instance = injected.unwrap_or_else(|error| {
        problems.extend(error.into_own().map(|error| BuildProblem::Handler { handler, error }));
        None
    });
    Built { instance, requests }
}

/// Puts the handlers of each event in the order of their calls.
fn arrange(lists: &mut [List<'_>], problems: &mut Vec<BuildProblem>) {
    for list in lists {
        let registrations: Vec<_> = list.bindings.iter().map(|binding| binding.registration).collect();
        let order = order::arrange_handlers(&registrations, problems);
        list.bindings = order.into_iter().map(|position| list.bindings[position]).collect();
    }
}

/// A list with its handlers as they are called, those that a worker calls last.
struct Completed<'a> {
    list: &'a List<'a>,
    entries: Vec<Entry>,
}

impl<'a> Completed<'a> {
    fn new(list: &'a List<'a>, built: &TypeIdMap<Built>, behaviors: &Behaviors) -> Self {
        Self { list, entries: list.all().filter_map(|binding| entry(binding, built, behaviors)).collect() }
    }

    fn into_list(mut self, strategy: Strategy, handles: &[TypeId]) -> HandlerList {
        self.entries.truncate(self.list.bindings.len());
        HandlerList::new(self.list.message, strategy, handles, self.entries)
    }
}

fn entry(binding: &Binding<'_>, built: &TypeIdMap<Built>, behaviors: &Behaviors) -> Option<Entry> {
    let Binding { registration, plan, instance, .. } = binding;
    let instance = instance.or_else(|| built[&plan.owner].instance.as_ref())?.clone();
    // Its own options are inside of the behaviors around its message.
    let around = behaviors.around(plan).into_iter();
    #[cfg(all(feature = "durable", feature = "testing"))]
    let around = around.chain(super::kit::around_inline(binding));
    let around = around.chain(registration.own_behaviors()).collect();
    Some(Entry { plan: *plan, instance, info: registration.info(), around })
}

/// The same for people to read, with what nobody handles. That is known of all of the program, so it is put together when it is
/// asked for.
fn topology(
    events: &[Completed<'_>],
    requests: &[Completed<'_>],
    built: &TypeIdMap<Built>,
    offer: &Offer,
    strategy_of: impl Fn(TypeId) -> &'static str + Send + 'static,
) -> LazyTopology {
    let nodes = |completed: &Completed<'_>| nodes(completed, built);
    let observers: Vec<_> = events.iter().filter(|it| it.list.message.is_none()).flat_map(nodes).collect();
    let mut event_nodes: Vec<_> = events
        .iter()
        .filter_map(|it| {
            let event = it.list.event()?;
            Some(event_node(event, strategy_of(event.type_id()), nodes(it)))
        })
        .collect();
    let mut request_nodes: Vec<_> = requests
        .iter()
        .filter_map(|it| {
            let MessageInfo::Request(request) = it.list.bindings.first()?.plan.message else { return None };
            Some(RequestNode::new(request, nodes(it).pop()))
        })
        .collect();
    let made = offer.modules.made().into_iter();
    let services = made.map(|made| ServiceNode::new(made.info, made.types, &made.requests)).collect();
    LazyLock::new(Box::new(move || {
        let known: TypeIdMap<()> = event_nodes.iter().map(|node| (node.event().type_id(), ())).collect();
        let unhandled = program::events().filter(|event| !known.contains_key(&event.type_id()));
        event_nodes.extend(unhandled.map(|event| event_node(event, strategy_of(event.type_id()), observers.clone())));
        let known: TypeIdMap<()> = request_nodes.iter().map(|node| (node.request().type_id(), ())).collect();
        let unhandled = program::requests().filter(|request| !known.contains_key(&request.type_id()));
        request_nodes.extend(unhandled.map(|request| RequestNode::new(request, None)));
        Topology::new(event_nodes, observers, request_nodes, services)
    }))
}

fn event_node(event: EventInfo, strategy: &'static str, handlers: Vec<HandlerNode>) -> EventNode {
    EventNode::new(event, strategy, handlers).external_if(program::is_external(&event))
}

fn nodes(completed: &Completed<'_>, built: &TypeIdMap<Built>) -> Vec<HandlerNode> {
    let bindings = completed.list.all().zip(&completed.entries).enumerate();
    let node = |(index, (binding, entry)): (usize, (&Binding<'_>, &Entry))| {
        let requests = if binding.instance.is_none() { &*built[&entry.plan.owner].requests } else { &[] };
        let borrows = entry.plan.borrows.iter().map(|borrow| borrow.use_of()).collect();
        let around = entry.around.iter().map(|around| around.info).collect();
        let is_observer = entry.plan.message().is_none();
        HandlerNode::new(entry.info, entry.plan.identity, index + 1, is_observer, around)
            .with_needs(requests, borrows)
            .durable_if(binding.is_durable)
    };
    bindings.map(node).collect()
}
