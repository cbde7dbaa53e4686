//! Which behaviors are around which handlers.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use crate::dispatch::{Around, Borrow, CallPlan, Instance, TypeIdMap, borrows_from_outside};
use crate::errors::build_error::BuildProblem;
use crate::registry::behavior_registration::{BehaviorRegistration, ReadyMadeBehavior};
use crate::registry::duplicates;
use crate::registry::order;
use crate::registry::program;
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
        discovered: &[BehaviorRegistration],
        given: Vec<ReadyMadeBehavior>,
        offer: &Offer,
        problems: &mut Vec<BuildProblem>,
    ) -> Self {
        if discovered.is_empty() && given.is_empty() {
            return Self { any: Vec::new(), typed: HashMap::new() };
        }
        let mut instances: TypeIdMap<Option<Instance>> = TypeIdMap::default();
        let (mut declared, mut others) = (discovered.to_vec(), Vec::new());
        let known: HashSet<_> = discovered.iter().map(BehaviorRegistration::key).collect();
        for ReadyMadeBehavior { registration, instance } in given {
            instances.insert(registration.plan().behavior, Some(instance));
            match program::behavior(registration.key()) {
                Some(of_macro) if !known.contains(&of_macro.key()) => declared.push(*of_macro),
                Some(_) => {}
                None => others.push(registration),
            }
        }
        order::sort_behaviors(&mut declared);
        let registrations = [declared, others].concat();
        problems.extend(duplicates::of_behaviors(&registrations));
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

    /// What a handler borrows that none of the behaviors around it lends.
    pub(super) fn borrows_from_outside(&self, handler: &CallPlan) -> Vec<Borrow> {
        if handler.borrows.is_empty() {
            return Vec::new();
        }
        let around = self.around(handler);
        borrows_from_outside(handler.borrows, around.iter().map(|around| around.lends)).copied().collect()
    }

    /// Those around a handler: of one message, or an observer, which handles every event.
    pub(super) fn around(&self, handler: &CallPlan) -> Vec<Around> {
        let handled = handler.message().map(|message| (message, handler.is_of_request()));
        let typed = handled.and_then(|handled| self.typed.get(&handled)).into_iter().flatten();
        self.any.iter().chain(typed).cloned().collect()
    }
}

/// `None` if it cannot be built.
fn build(registration: &BehaviorRegistration, offer: &Offer, problems: &mut Vec<BuildProblem>) -> Option<Instance> {
    let (behavior, injection) = (registration.info, registration.injection?);
    let (injected, requests) = Services::injected(offer, |services| injection.inject(services));
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
    let order = order::arrange_behaviors(behaviors, problems);
    let around = order.into_iter().filter_map(|position| {
        let BehaviorRegistration { info, lends, .. } = behaviors[position];
        let plan = behaviors[position].plan();
        let instance = instances[&plan.behavior].clone()?;
        Some(Around { plan, instance, info, lends })
    });
    around.collect()
}
