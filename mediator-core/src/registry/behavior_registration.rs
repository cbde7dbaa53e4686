//! Behaviors, as the macro hands them over at link time and as the builder is given them.

use std::any::TypeId;
use std::panic::Location;
use std::sync::Arc;

use super::order::{HandlerRef, Ordered, references};
use super::registration::Injection;
use crate::behavior::behavior::Behavior;
use crate::behavior::message::Message;
use crate::dispatch::{BehaviorPlan, Borrow, Instance, MessageKind};
use crate::errors::build_error::Side;
use crate::handler::info::HandlerInfo;
use crate::services::inject::Inject;

inventory::collect!(BehaviorRegistration);

/// What a behavior is around, whether that is a request, and the behavior's type: what it must not share with another one.
pub(crate) type BehaviorKey = (Option<TypeId>, bool, TypeId);

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
    pub(crate) injection: Option<Injection>,
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
        Self::of(info, version, <M::Kind as MessageKind<M>>::plan::<B>, Some(Injection::of::<B>()))
    }

    const fn of(
        info: HandlerInfo,
        version: &'static str,
        plan: fn() -> BehaviorPlan,
        injection: Option<Injection>,
    ) -> Self {
        Self { info, version, order: 0, after: &[], before: &[], lends: &[], plan, injection }
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

    pub(crate) fn plan(&self) -> BehaviorPlan {
        (self.plan)()
    }

    pub(crate) fn key(&self) -> BehaviorKey {
        let plan = self.plan();
        (plan.message, plan.is_of_request, plan.behavior)
    }

    /// The declared `order`, 0 by default.
    pub(crate) fn order(&self) -> i32 {
        self.order
    }
}

impl Ordered for BehaviorRegistration {
    fn identity(&self) -> TypeId {
        self.plan().behavior
    }

    fn references(&self) -> impl Iterator<Item = (Side, &'static HandlerRef)> {
        references(self.after, self.before)
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
        let plan = <M::Kind as MessageKind<M>>::plan::<B>;
        let registration = BehaviorRegistration::of(HandlerInfo::of_type::<B>(), "", plan, None);
        Self { registration, instance: Arc::new(behavior) }
    }
}
