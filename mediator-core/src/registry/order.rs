//! The one order in which the handlers of an event are called.

use std::any::{TypeId, type_name};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::behavior_registration::BehaviorRegistration;
use super::program;
use super::registration::HandlerRegistration;
use crate::errors::build_error::{BuildProblem, OrderStep, Side};
use crate::handler::info::HandlerInfo;

/// Sorts what was discovered, so that the order is the same whatever the linker did.
///
/// By `order`, then crate, file, line and column. The methods of a block, which have one place, go as they are written;
/// what else has one place, as the registrations made by one `macro_rules` call do, goes by name.
pub(crate) fn sort(discovered: &mut [&HandlerRegistration]) {
    discovered.sort_by_cached_key(|handler| key(handler.registration().order(), handler.position(), handler.info()));
}

/// The same of behaviors.
pub(crate) fn sort_behaviors(discovered: &mut [BehaviorRegistration]) {
    discovered.sort_by_cached_key(|behavior| key(behavior.order(), 0, behavior.info));
}

fn key(order: i32, position: u32, info: HandlerInfo) -> impl Ord {
    let location = info.location();
    (order, info.crate_name(), location.file(), location.line(), location.column(), position, info.name())
}

/// A handler that another one names in `after = …` or `before = …`.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct HandlerRef {
    handler: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl HandlerRef {
    /// A handler that is a type.
    #[must_use]
    pub const fn to<H: 'static>() -> Self {
        Self { handler: TypeId::of::<H>, name: type_name::<H> }
    }

    /// A handler that is a function or a method.
    #[must_use]
    pub const fn to_function<Item: FunctionItem>(_item: Item) -> Self {
        Self::to::<Item>()
    }
}

/// The type of a function, as far as it can be told from others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function",
    label = "in lower case this names a function or a method",
    note = "a handler's type is named in upper case; one that is not, by an alias, as in `type Audit = audit;`"
)]
pub trait FunctionItem: Copy + 'static {}

#[diagnostic::do_not_recommend]
impl<Item: Copy + 'static> FunctionItem for Item {}

/// What can name others in `after = …` and `before = …`.
pub(crate) trait Ordered {
    /// What others name it by.
    fn identity(&self) -> TypeId;

    /// Those that it names.
    fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)>;
}

impl<T: Ordered> Ordered for &T {
    fn identity(&self) -> TypeId {
        T::identity(self)
    }

    fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
        T::references(self)
    }
}

pub(crate) fn references(
    after: &'static [HandlerRef],
    before: &'static [HandlerRef],
) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
    let after = after.iter().map(|other| (Side::After, other));
    after.chain(before.iter().map(|other| (Side::Before, other)))
}

/// `earlier` is called before `later`, as the one of them says whose `side` it is.
#[derive(Clone, Copy)]
struct Constraint {
    earlier: usize,
    later: usize,
    side: Side,
}

impl Constraint {
    /// What `handler` says about its place beside `other`.
    fn new(handler: usize, side: Side, other: usize) -> Self {
        match side {
            Side::After => Self { earlier: other, later: handler, side },
            Side::Before => Self { earlier: handler, later: other, side },
        }
    }

    fn step(self, infos: &[HandlerInfo]) -> OrderStep {
        let (handler, other) = match self.side {
            Side::After => (self.later, self.earlier),
            Side::Before => (self.earlier, self.later),
        };
        OrderStep { handler: infos[handler], side: self.side, other: infos[other] }
    }
}

/// The positions of the handlers of one event in the order of their calls.
///
/// Of the handlers that could be next, the first in `handlers` is. So a handler that nobody
/// names, nor names others, changes nothing about the order of the rest.
pub(crate) fn arrange_handlers(handlers: &[&HandlerRegistration], problems: &mut Vec<BuildProblem>) -> Vec<usize> {
    let constraints = constraints(handlers, |handler, side, reference| {
        problems.extend(unknown(handler, side, reference, handlers));
    });
    let infos = || handlers.iter().map(|handler| handler.info()).collect();
    let (order, cycles) = arranged(handlers.len(), &constraints, infos);
    let cycle = |steps| BuildProblem::OrderCycle { event_name: handlers[0].message_name(), steps };
    problems.extend(cycles.into_iter().map(cycle));
    order
}

/// A handler that was left out on purpose asks for nothing; any other is a mistake.
fn unknown(
    handler: &HandlerRegistration,
    side: Side,
    reference: &HandlerRef,
    handlers: &[&HandlerRegistration],
) -> Option<BuildProblem> {
    let registered = program::registrations_of((reference.handler)());
    let serves = |other: &HandlerRegistration| {
        handler.is_observer() || other.is_observer() || other.plan().message() == handler.plan().message()
    };
    if registered.iter().any(|other| serves(other)) {
        return None;
    }
    let name = (reference.name)();
    let others = handlers.iter().filter(|other| other.name() != handler.name());
    let nearest = others.min_by_key(|other| distance_of_paths(name, other.name()));
    Some(BuildProblem::UnknownHandler {
        handler: handler.info(),
        event_name: handler.message_name(),
        option: side.as_str(),
        reference: name,
        handles: registered.first().map(|other| other.message_name()),
        nearest: nearest.map(|nearest| nearest.info()),
    })
}

/// The positions of the behaviors around one message, or around every message, from outside in.
///
/// `after` is further inside. What names a behavior around other messages, or one that was left out, asks for nothing.
pub(crate) fn arrange_behaviors(behaviors: &[BehaviorRegistration], problems: &mut Vec<BuildProblem>) -> Vec<usize> {
    let constraints = constraints(behaviors, |behavior, side, reference| {
        problems.extend(misplaced(behavior, side, reference));
    });
    let infos = || behaviors.iter().map(|behavior| behavior.info).collect();
    let (order, cycles) = arranged(behaviors.len(), &constraints, infos);
    let cycle = |steps| BuildProblem::BehaviorCycle { message_name: behaviors[0].plan().message_name, steps };
    problems.extend(cycles.into_iter().map(cycle));
    order
}

/// What those who name others say about their places; `unknown` is told of names that are none of them.
fn constraints<T: Ordered>(all: &[T], mut unknown: impl FnMut(&T, Side, &'static HandlerRef)) -> Vec<Constraint> {
    if all.iter().all(|one| one.references().next().is_none()) {
        return Vec::new();
    }
    let positions: HashMap<_, _> = all.iter().enumerate().map(|(position, one)| (one.identity(), position)).collect();
    let mut constraints = Vec::new();
    for (position, one) in all.iter().enumerate() {
        for (side, reference) in one.references() {
            match positions.get(&(reference.handler)()) {
                Some(&other) => constraints.push(Constraint::new(position, side, other)),
                None => unknown(one, side, reference),
            }
        }
    }
    constraints
}

/// The positions in order, and the cycles that keep the others out.
fn arranged(
    count: usize,
    constraints: &[Constraint],
    infos: impl FnOnce() -> Vec<HandlerInfo>,
) -> (Vec<usize>, Vec<Vec<OrderStep>>) {
    if constraints.is_empty() {
        return ((0..count).collect(), Vec::new());
    }
    let order = in_topological_order(count, constraints);
    let cycles = if order.len() < count { cycles(&order, &infos(), constraints) } else { Vec::new() };
    (order, cycles)
}

/// A behavior that names what is no behavior, or says that it is outside of one around every message.
fn misplaced(behavior: &BehaviorRegistration, side: Side, reference: &HandlerRef) -> Option<BuildProblem> {
    let wanted = (reference.handler)();
    let plans = program::behaviors().iter().map(BehaviorRegistration::plan);
    let others: Vec<_> = plans.filter(|plan| plan.behavior == wanted).collect();
    let is_around_all = behavior.plan().message.is_none();
    let is_outside = match side {
        Side::After => is_around_all,
        Side::Before => !is_around_all && others.iter().any(|other| other.message.is_none()),
    };
    (others.is_empty() || is_outside).then(|| BuildProblem::UnknownBehavior {
        behavior: behavior.info,
        option: side.as_str(),
        reference: (reference.name)(),
        is_outside: !others.is_empty(),
    })
}

/// Kahn's algorithm, always with the first that is ready. What waits for itself is left out.
fn in_topological_order(count: usize, constraints: &[Constraint]) -> Vec<usize> {
    let mut waits_for = vec![0_usize; count];
    let mut followers = vec![Vec::new(); count];
    for constraint in constraints {
        waits_for[constraint.later] += 1;
        followers[constraint.earlier].push(constraint.later);
    }
    let mut ready: BinaryHeap<_> = (0..count).filter(|&handler| waits_for[handler] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(next)) = ready.pop() {
        order.push(next);
        for &follower in &followers[next] {
            waits_for[follower] -= 1;
            if waits_for[follower] == 0 {
                ready.push(Reverse(follower));
            }
        }
    }
    order
}

/// The cycles that kept handlers out of `order`, each with its steps in the order of the calls.
fn cycles(order: &[usize], infos: &[HandlerInfo], constraints: &[Constraint]) -> Vec<Vec<OrderStep>> {
    let mut stuck = vec![true; infos.len()];
    order.iter().for_each(|&handler| stuck[handler] = false);
    // Whoever is stuck waits for another one that is. Following one such constraint from each,
    // every walk ends in a cycle, and no cycle is walked into twice.
    let mut reason = vec![None; infos.len()];
    for constraint in constraints.iter().filter(|constraint| stuck[constraint.earlier]) {
        reason[constraint.later].get_or_insert(*constraint);
    }
    let mut walked_from = vec![None; infos.len()];
    let mut cycles = Vec::new();
    for start in (0..infos.len()).filter(|&handler| stuck[handler]) {
        let mut handler = start;
        while walked_from[handler].is_none() {
            walked_from[handler] = Some(start);
            handler = reason[handler].map_or(handler, |constraint| constraint.earlier);
        }
        if walked_from[handler] == Some(start) {
            cycles.push(cycle(handler, &reason, infos));
        }
    }
    cycles
}

fn cycle(last: usize, reason: &[Option<Constraint>], infos: &[HandlerInfo]) -> Vec<OrderStep> {
    let links = std::iter::successors(reason[last], |link| reason[link.earlier].filter(|_| link.earlier != last));
    let mut steps: Vec<_> = links.map(|link| link.step(infos)).collect();
    steps.reverse();
    steps
}

/// How unlike two paths are: first in what they name, then as a whole.
fn distance_of_paths(one: &str, other: &str) -> (usize, usize) {
    let name = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
    (edit_distance(&name(one), &name(other)), edit_distance(one, other))
}

/// How many characters have to be inserted, removed or replaced.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (index, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, &to) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    const COUNT: usize = 1_000;

    /// Pairs of different handlers; which of the two is called first is the test's to say.
    fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
        let pairs = vec(any::<(Index, Index)>(), 0..2 * COUNT);
        pairs.prop_map(|pairs| {
            let pairs = pairs.into_iter().map(|(one, other)| (one.index(COUNT), other.index(COUNT)));
            pairs.filter(|(one, other)| one != other).collect()
        })
    }

    fn constraints(pairs: &[(usize, usize)], rank: &[usize]) -> Vec<Constraint> {
        let pairs = pairs.iter().map(|&(one, other)| if rank[one] < rank[other] { (one, other) } else { (other, one) });
        pairs.map(|(earlier, later)| Constraint { earlier, later, side: Side::After }).collect()
    }

    /// Again and again the first handler that has not run and waits for none that has not.
    fn model(constraints: &[Constraint]) -> Vec<usize> {
        let mut waits_for = vec![Vec::new(); COUNT];
        for constraint in constraints {
            waits_for[constraint.later].push(constraint.earlier);
        }
        let (mut has_run, mut order) = (vec![false; COUNT], Vec::new());
        let next = |has_run: &[bool]| {
            (0..COUNT).find(|&handler| !has_run[handler] && waits_for[handler].iter().all(|&other| has_run[other]))
        };
        while let Some(next) = next(&has_run) {
            has_run[next] = true;
            order.push(next);
        }
        order
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_order_is_that_of_a_plain_model(
            pairs in pairs(),
            rank in Just((0..COUNT).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let constraints = constraints(&pairs, &rank);
            let order = in_topological_order(COUNT, &constraints);
            prop_assert_eq!(order.len(), COUNT);
            prop_assert_eq!(order, model(&constraints));
        }

        #[test]
        fn what_a_cycle_holds_up_is_left_out(pairs in pairs()) {
            let pairs = pairs.into_iter().map(|(earlier, later)| Constraint { earlier, later, side: Side::After });
            let constraints: Vec<_> = pairs.collect();
            prop_assert_eq!(in_topological_order(COUNT, &constraints), model(&constraints));
        }

        #[test]
        fn handlers_without_constraints_leave_the_order_of_the_others_alone(
            pairs in pairs(),
            rank in Just((0..COUNT).collect::<Vec<_>>()).prop_shuffle(),
            gaps in vec(0..3_usize, COUNT),
        ) {
            let constraints = constraints(&pairs, &rank);
            let order = in_topological_order(COUNT, &constraints);
            // The same handlers with strangers between them.
            let mut count = 0;
            let moved: Vec<_> = gaps.iter().map(|gap| { count += gap + 1; count - 1 }).collect();
            let among_strangers: Vec<_> = constraints
                .iter()
                .map(|constraint| Constraint {
                    earlier: moved[constraint.earlier],
                    later: moved[constraint.later],
                    side: constraint.side,
                })
                .collect();
            let with_strangers = in_topological_order(count, &among_strangers);
            prop_assert_eq!(with_strangers.len(), count);
            let without: Vec<_> =
                with_strangers.into_iter().filter_map(|handler| moved.binary_search(&handler).ok()).collect();
            prop_assert_eq!(without, order);
        }
    }

    #[test]
    fn the_name_that_a_path_ends_with_decides_what_is_near() {
        let near = |name: &str| distance_of_paths("shop::ReserveStok", name);
        assert!(near("warehouse::stock::ReserveStock") < near("shop::ReserveSlot"));
        assert!(near("shop::Reserve") < near("shop::Audit"));
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
