//! What is registered twice, or under a name that belongs to another.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::behavior_registration::BehaviorRegistration;
use super::program;
use super::registration::HandlerRegistration;
use crate::dispatch::TypeIdMap;
use crate::errors::build_error::BuildProblem;
use crate::event::info::EventInfo;
use crate::request::info::RequestInfo;

/// Two events with one given name.
pub(crate) fn of_event_names() -> impl Iterator<Item = BuildProblem> {
    static PAIRS: LazyLock<Vec<Pair<EventInfo>>> = LazyLock::new(|| pairs(program::named_events()));
    PAIRS.iter().map(|&Pair { first, second, name }| BuildProblem::DuplicateEventName { first, second, name })
}

/// Two requests with one given name.
pub(crate) fn of_request_names() -> impl Iterator<Item = BuildProblem> {
    static PAIRS: LazyLock<Vec<Pair<RequestInfo>>> = LazyLock::new(|| pairs(program::named_requests()));
    PAIRS.iter().map(|Pair { first, second, name }| BuildProblem::DuplicateRequestName {
        first: first.type_name(),
        second: second.type_name(),
        name,
    })
}

/// Two with one name.
struct Pair<T> {
    first: T,
    second: T,
    name: &'static str,
}

/// Those that have the name of one before them, each with the first one of that name.
fn pairs<T: Copy + PartialEq>(named: impl Iterator<Item = (T, &'static str)>) -> Vec<Pair<T>> {
    let mut seen = HashMap::new();
    let pair = named.map(|(second, name)| Pair { first: *seen.entry(name).or_insert(second), second, name });
    pair.filter(|pair| pair.first != pair.second).collect()
}

/// Handlers of one request, which has one.
pub(crate) fn of_request_handlers(handlers: &[&HandlerRegistration]) -> Vec<BuildProblem> {
    let same = of_handlers(handlers);
    if !same.is_empty() {
        return same;
    }
    let others = handlers.iter().skip(1).map(|second| BuildProblem::SecondRequestHandler {
        request_name: second.message_name(),
        first: handlers[0].info(),
        second: second.info(),
    });
    others.collect()
}

/// Handlers of one event that would be called twice, or have one given name.
pub(crate) fn of_handlers(handlers: &[&HandlerRegistration]) -> Vec<BuildProblem> {
    if handlers.len() < 2 {
        return Vec::new();
    }
    let mut by_identity = TypeIdMap::default();
    let mut by_crate = HashMap::new();
    let mut by_place = HashMap::new();
    let mut by_name = HashMap::new();
    let mut problems = Vec::new();
    for second in handlers {
        let identity = second.plan().identity;
        // Instances that are told apart by their names have one type.
        let known = if second.is_named_instance() { None } else { by_identity.insert(identity, *second) };
        let of_crate = *by_crate.entry((second.info().crate_name(), second.name())).or_insert(*second);
        let at_place =
            *by_place.entry((second.info().location(), second.info().name_within_crate())).or_insert(*second);
        if let Some(first) = known {
            problems.push(duplicate(first, second));
        } else if let Some(problem) = compiled_twice(at_place, second).or_else(|| two_versions(of_crate, second)) {
            problems.push(problem);
        } else if second.has_given_name() {
            let names = [second.name()].into_iter().chain(second.aliases().iter().copied());
            let first = names.map(|name| *by_name.entry(name).or_insert(*second));
            if let Some(first) = first.filter(|first| !std::ptr::eq(*first, *second)).last() {
                let (event_name, first, second) = (second.message_name(), first.info(), second.info());
                problems.push(BuildProblem::DuplicateHandlerName { event_name, first, second });
            }
        }
    }
    problems
}

/// Behaviors that would run twice around one message, or around every message.
pub(crate) fn of_behaviors(behaviors: &[BehaviorRegistration]) -> Vec<BuildProblem> {
    let (mut by_key, mut by_place, mut by_crate) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut problems = Vec::new();
    for second in behaviors {
        let (plan, info) = (second.plan(), second.info);
        let at_place = *by_place.entry((plan.message, info.location(), info.name_within_crate())).or_insert(*second);
        let of_crate = *by_crate.entry((plan.message, info.crate_name(), info.name())).or_insert(*second);
        let known = by_key.insert(second.key(), info);
        let is_one_code = at_place.key() != second.key() || of_crate.version != second.version;
        let compiled_twice = known.is_none() && second.injection.is_some() && is_one_code;
        if let Some(first) = known.or(compiled_twice.then_some(of_crate.info)) {
            let message_name = plan.message_name;
            problems.push(BuildProblem::DuplicateBehavior { message_name, first, second: info, compiled_twice });
        }
    }
    problems
}

fn duplicate(first: &HandlerRegistration, second: &HandlerRegistration) -> BuildProblem {
    let ready_made = first.is_ready_made() && second.is_ready_made();
    // An observer is called for the event as well.
    let event_name = if second.is_observer() { first.message_name() } else { second.message_name() };
    let (first, second) = (first.info(), second.info());
    BuildProblem::DuplicateHandler { event_name, first, second, ready_made }
}

/// Two handlers with one name at one place are one piece of code, unless it is the place of a function that binds handlers.
fn compiled_twice(first: &HandlerRegistration, second: &HandlerRegistration) -> Option<BuildProblem> {
    let is_bound = first.is_bound() || second.is_bound();
    (!is_bound && first.plan().identity != second.plan().identity).then(|| of_one_code(first, second, None))
}

/// Two handlers with one name in two packages with one name are two versions of one.
fn two_versions(first: &HandlerRegistration, second: &HandlerRegistration) -> Option<BuildProblem> {
    let versions = (first.version(), second.version());
    let is_bound = first.is_bound() || second.is_bound();
    (!is_bound && versions.0 != versions.1).then(|| of_one_code(first, second, Some(versions)))
}

fn of_one_code(
    first: &HandlerRegistration,
    second: &HandlerRegistration,
    versions: Option<(&'static str, &'static str)>,
) -> BuildProblem {
    let (event_name, first, second) = (second.message_name(), first.info(), second.info());
    BuildProblem::CompiledTwice { event_name, first, second, versions }
}
