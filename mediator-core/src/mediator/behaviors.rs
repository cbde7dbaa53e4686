//! Which behaviors are around which handlers.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use crate::dispatch::{Around, CallPlan, Instance, TypeIdMap};
use crate::errors::build_error::BuildProblem;
use crate::registry::behavior_registration::{BehaviorRegistration, ReadyMadeBehavior};
use crate::registry::order::arrange_behaviors;
use crate::services::inject::inject_catching;
use crate::services::services::{Offer, Services};

/// An event or a request, which may be of one type: whether it is a request.
type Handled = (TypeId, bool);

/// The behaviors of a mediator, from outside in.
pub(super) struct Behaviors {
    /// Those around every message.
    any: Vec<Around>,
    /// Those around one event or request.
    typed: HashMap<Handled, Vec<Around>>,
}

impl Behaviors {
    /// What was discovered and what the builder was `given`: a value of a type that the macro stands on is what that says, and
    /// any other comes last.
    pub(super) fn build(
        mut discovered: Vec<BehaviorRegistration>,
        given: Vec<ReadyMadeBehavior>,
        offer: &Offer,
        problems: &mut Vec<BuildProblem>,
    ) -> Self {
        let mut instances: TypeIdMap<Option<Instance>> = TypeIdMap::default();
        let mut others = Vec::new();
        let known: HashSet<_> = discovered.iter().map(key).collect();
        for ReadyMadeBehavior { registration, instance } in given {
            instances.insert(registration.plan().behavior, Some(instance));
            match inventory::iter::<BehaviorRegistration>().find(|known| key(known) == key(&registration)) {
                Some(declared) if !known.contains(&key(declared)) => discovered.push(*declared),
                Some(_) => {}
                None => others.push(registration),
            }
        }
        BehaviorRegistration::sort(&mut discovered);
        let registrations = [discovered, others].concat();
        problems.extend(duplicates(&registrations));
        for registration in &registrations {
            let instance = instances.entry(registration.plan().behavior);
            instance.or_insert_with(|| build(registration, offer, problems));
        }
        let mut typed: HashMap<Handled, Vec<BehaviorRegistration>> = HashMap::new();
        let mut any = Vec::new();
        for registration in registrations {
            let plan = registration.plan();
            match plan.message {
                Some(message) => typed.entry((message, plan.is_of_request)).or_default().push(registration),
                None => any.push(registration),
            }
        }
        let mut arranged = |behaviors: &[BehaviorRegistration]| arranged(behaviors, &instances, problems);
        Self {
            any: arranged(&any),
            typed: typed.into_iter().map(|(message, behaviors)| (message, arranged(&behaviors))).collect(),
        }
    }

    /// Those around a handler: of one message, or an observer, which handles every event.
    pub(super) fn around(&self, handler: &CallPlan) -> Vec<Around> {
        let handled = handler.message().map(|message| (message, handler.is_of_request()));
        let typed = handled.and_then(|handled| self.typed.get(&handled)).into_iter().flatten();
        self.any.iter().chain(typed).cloned().collect()
    }
}

type Key = (Option<TypeId>, bool, TypeId);

fn key(registration: &BehaviorRegistration) -> Key {
    let plan = registration.plan();
    (plan.message, plan.is_of_request, plan.behavior)
}

fn duplicates(registrations: &[BehaviorRegistration]) -> Vec<BuildProblem> {
    let (mut by_type, mut by_place, mut by_crate) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut problems = Vec::new();
    for second in registrations {
        let (message_name, info) = (second.plan().message_name, second.info);
        let message = second.plan().message;
        let name_in_crate = info.name().split_once("::").map_or(info.name(), |(_, name)| name);
        let at_place = *by_place.entry((message, info.location(), name_in_crate)).or_insert(*second);
        let of_crate = *by_crate.entry((message, info.crate_name(), info.name())).or_insert(*second);
        if let Some(first) = by_type.insert(key(second), info) {
            problems.push(BuildProblem::DuplicateBehavior { message_name, first, second: info, compiled_twice: false });
        } else if second.inject.is_some() && (key(&at_place) != key(second) || of_crate.version != second.version) {
            let (first, second) = (of_crate.info, info);
            problems.push(BuildProblem::DuplicateBehavior { message_name, first, second, compiled_twice: true });
        }
    }
    problems
}

/// `None` if it cannot be built.
fn build(registration: &BehaviorRegistration, offer: &Offer, problems: &mut Vec<BuildProblem>) -> Option<Instance> {
    let (behavior, inject) = (registration.info, registration.inject?);
    let services = Services::new(offer);
    let injected = inject_catching(|| inject(&services));
    let requests = services.into_requests();
    let missing = requests.iter().filter(|request| request.is_missing);
    problems.extend(missing.map(|request| BuildProblem::MissingServiceOfBehavior {
        behavior,
        field: request.field,
        service: request.service,
    }));
    match injected {
        Ok(instance) => Some(instance),
        Err(error) => {
            problems.extend(error.into_own().map(|error| BuildProblem::Behavior { behavior, error }));
            None
        }
    }
}

/// From outside in, as far as they could be built.
fn arranged(
    behaviors: &[BehaviorRegistration],
    instances: &TypeIdMap<Option<Instance>>,
    problems: &mut Vec<BuildProblem>,
) -> Vec<Around> {
    let order = arrange_behaviors(behaviors, problems);
    let around = order.into_iter().filter_map(|position| {
        let BehaviorRegistration { info, lends, .. } = behaviors[position];
        let plan = behaviors[position].plan();
        let instance = instances[&plan.behavior].clone()?;
        Some(Around { plan, instance, info, lends })
    });
    around.collect()
}
