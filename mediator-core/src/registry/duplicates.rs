//! What is registered twice, or under a name that belongs to another.

use std::collections::HashMap;

use super::event_registration::named_events;
use super::registration::HandlerRegistration;
use crate::dispatch::TypeIdMap;
use crate::errors::build_error::BuildProblem;

/// Two events with one given name.
pub(crate) fn of_event_names() -> Vec<BuildProblem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for second in named_events() {
        let first = *seen.entry(second.name()).or_insert(second);
        if first != second {
            problems.push(BuildProblem::DuplicateEventName { first, second });
        }
    }
    problems
}

/// Handlers of one event that would be called twice, or have one given name.
pub(crate) fn of_handlers(handlers: &[&HandlerRegistration]) -> Vec<BuildProblem> {
    let mut by_identity = TypeIdMap::default();
    let mut by_code = HashMap::new();
    let mut by_name = HashMap::new();
    let mut problems = Vec::new();
    for second in handlers {
        let identity = second.plan().identity;
        // Instances that are told apart by their names have one type.
        let known = if second.is_named_instance() { None } else { by_identity.insert(identity, *second) };
        let registration = second.registration();
        let same_code = *by_code.entry((registration.crate_name(), second.name())).or_insert(*second);
        if let Some(first) = known {
            problems.push(duplicate(first, second));
        } else if same_code.plan().identity != identity
            && let Some(problem) = compiled_twice(same_code, second)
        {
            problems.push(problem);
        } else if second.has_given_name() {
            let first = *by_name.entry(second.name()).or_insert(*second);
            if !std::ptr::eq(first, *second) {
                let (event_name, first, second) = (second.event_name(), first.info(), second.info());
                problems.push(BuildProblem::DuplicateHandlerName { event_name, first, second });
            }
        }
    }
    problems
}

fn duplicate(first: &HandlerRegistration, second: &HandlerRegistration) -> BuildProblem {
    let ready_made = first.is_ready_made() && second.is_ready_made();
    let (event_name, first, second) = (second.event_name(), first.info(), second.info());
    BuildProblem::DuplicateHandler { event_name, first, second, ready_made }
}

/// Two types of one name in one crate are the same code, if they stand at the same place or in two versions of the package.
fn compiled_twice(first: &HandlerRegistration, second: &HandlerRegistration) -> Option<BuildProblem> {
    let versions = (first.version() != second.version()).then(|| (first.version(), second.version()));
    let (event_name, first, second) = (second.event_name(), first.info(), second.info());
    let is_one = versions.is_some() || first.location() == second.location();
    is_one.then_some(BuildProblem::CompiledTwice { event_name, first, second, versions })
}
