//! Behaviors, as the macro hands them over at link time and as the builder is given them.

use std::any::type_name;
use std::panic::Location;
use std::sync::Arc;

use super::order::HandlerRef;
use super::registration::{InjectFn, inject};
use crate::behavior::behavior::Behavior;
use crate::behavior::message::Message;
use crate::dispatch::{BehaviorPlan, Borrow, Instance, MessageKind};
use crate::errors::build_error::Side;
use crate::handler::info::HandlerInfo;
use crate::services::inject::Inject;

inventory::collect!(BehaviorRegistration);

/// A behavior around the handlers of one message, or of all.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct BehaviorRegistration {
    pub(crate) info: HandlerInfo,
    pub(crate) version: &'static str,
    order: i32,
    after: &'static [HandlerRef],
    before: &'static [HandlerRef],
    pub(crate) lends: &'static [Borrow],
    plan: fn() -> BehaviorPlan,
    pub(crate) inject: Option<InjectFn>,
}

impl BehaviorRegistration {
    /// What the macro submits, at its own place.
    #[must_use]
    #[track_caller]
    pub const fn new<M: Message, B: Behavior<M> + Inject>(
        name: &'static str,
        module_path: &'static str,
        version: &'static str,
    ) -> Self {
        let info = HandlerInfo { name, module_path, location: Location::caller() };
        Self {
            info,
            version,
            order: 0,
            after: &[],
            before: &[],
            lends: &[],
            plan: <M::Kind as MessageKind<M>>::plan::<B>,
            inject: Some(inject::<B>),
        }
    }

    /// With the user's `order = …`.
    #[must_use]
    pub const fn order_by(mut self, order: i32) -> Self {
        self.order = order;
        self
    }

    /// With the user's `after = …`.
    #[must_use]
    pub const fn after(mut self, behaviors: &'static [HandlerRef]) -> Self {
        self.after = behaviors;
        self
    }

    /// With the user's `before = …`.
    #[must_use]
    pub const fn before(mut self, behaviors: &'static [HandlerRef]) -> Self {
        self.before = behaviors;
        self
    }

    /// With the user's `lends(…)`.
    #[must_use]
    pub const fn lends(mut self, values: &'static [Borrow]) -> Self {
        self.lends = values;
        self
    }

    /// `behavior`: one that the user made.
    #[track_caller]
    fn of_instance<M: Message, B: Behavior<M>>() -> Self {
        let name = type_name::<B>();
        let module_path = name.rsplit_once("::").map_or("", |(module, _)| module);
        Self {
            info: HandlerInfo { name, module_path, location: Location::caller() },
            version: "",
            order: 0,
            after: &[],
            before: &[],
            lends: &[],
            plan: <M::Kind as MessageKind<M>>::plan::<B>,
            inject: None,
        }
    }

    pub(crate) fn plan(&self) -> BehaviorPlan {
        (self.plan)()
    }

    /// The behaviors named in `after` and `before`.
    pub(crate) fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
        let after = self.after.iter().map(|behavior| (Side::After, behavior));
        after.chain(self.before.iter().map(|behavior| (Side::Before, behavior)))
    }

    /// Sorts what was discovered, so that the order is the same whatever the linker did: by `order`, crate, file, line and
    /// column.
    pub(crate) fn sort(discovered: &mut [Self]) {
        discovered.sort_by_key(|behavior| {
            let (info, location) = (behavior.info, behavior.info.location);
            (behavior.order, info.crate_name(), location.file(), location.line(), location.column(), info.name)
        });
    }
}

/// A behavior that the user made.
pub(crate) struct ReadyMadeBehavior {
    pub(crate) registration: BehaviorRegistration,
    pub(crate) instance: Instance,
}

impl ReadyMadeBehavior {
    #[track_caller]
    pub(crate) fn new<M: Message, B: Behavior<M>>(behavior: B) -> Self {
        Self { registration: BehaviorRegistration::of_instance::<M, B>(), instance: Arc::new(behavior) }
    }
}
