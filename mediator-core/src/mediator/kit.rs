//! What tests change of a mediator: feature `testing`.

use std::any::{TypeId, type_name};
use std::panic::Location;
#[cfg(feature = "durable")]
use std::{sync::Arc, time::SystemTime};

use super::wiring::Binding;
#[cfg(feature = "durable")]
use crate::behavior::behavior::{Behavior, Outcome};
use crate::dispatch::Watch;
#[cfg(feature = "durable")]
use crate::dispatch::{Around, Borrow, Call, MessageKind, OfAny};
#[cfg(feature = "durable")]
use crate::durable::info::DeliveryInfo;
use crate::errors::build_error::BuildProblem;
#[cfg(feature = "durable")]
use crate::event::dynamic::DynNotification;
#[cfg(feature = "durable")]
use crate::handler::info::HandlerInfo;
use crate::observe::records::Records;
use crate::registry::registration::ReadyMade;

/// What tests change of a mediator.
#[derive(Default)]
pub(crate) struct Kit {
    pub(crate) records: Records,
    /// Whether no handler of an event is called.
    pub(crate) is_record_only: bool,
    /// Whether the publish calls durable handlers like others.
    #[cfg(feature = "durable")]
    pub(crate) is_durable_inline: bool,
    pub(crate) stand_ins: Vec<StandIn>,
}

/// A handler in the place of another one.
pub(crate) struct StandIn {
    handler: TypeId,
    handler_name: &'static str,
    stand_in: ReadyMade,
    location: &'static Location<'static>,
}

impl StandIn {
    /// Of the handler whose type, or whose function's type, is `H`.
    #[track_caller]
    pub(crate) fn of<H: 'static>(stand_in: ReadyMade) -> Self {
        Self { handler: TypeId::of::<H>(), handler_name: type_name::<H>(), stand_in, location: Location::caller() }
    }

    fn stands_in_for(&self, binding: &Binding<'_>) -> bool {
        binding.plan.identity == self.handler && binding.plan.message() == self.stand_in.registration.plan().message()
    }
}

impl Kit {
    pub(super) fn watch(&self) -> Watch {
        Watch::new().recording(self.records.clone())
    }

    /// Whether publishes record what is delivered later.
    #[cfg(feature = "durable")]
    pub(super) fn records_durable(&self) -> bool {
        !(self.is_record_only || self.is_durable_inline)
    }

    /// Puts the stand-ins in their places.
    pub(super) fn apply<'a>(&'a self, bindings: &mut Vec<Binding<'a>>) -> Vec<BuildProblem> {
        let problems = self.stand_ins.iter().filter_map(|stand_in| stand_in.apply(bindings)).collect();
        #[cfg(feature = "durable")]
        if self.is_durable_inline {
            bindings.iter_mut().for_each(|binding| binding.is_durable = false);
        }
        if self.is_record_only {
            bindings.retain(|binding| binding.plan.is_of_request());
        }
        problems
    }
}

/// What lends a durable handler its delivery when the publish calls it.
#[cfg(feature = "durable")]
pub(super) fn around_inline(binding: &Binding<'_>) -> Option<Around> {
    let info = binding.registration.info();
    (binding.registration.is_durable() && !binding.is_durable).then(|| Inline::around(info))
}

/// Lends a `DeliveryInfo`, as a worker does.
#[cfg(feature = "durable")]
struct Inline {
    handler: &'static str,
}

#[cfg(feature = "durable")]
impl Inline {
    const LENDS: &'static [Borrow] = &[Borrow::shared::<DeliveryInfo>("delivery")];

    fn around(info: HandlerInfo) -> Around {
        let (plan, instance) = (OfAny::plan::<Self>(), Arc::new(Self { handler: info.name() }));
        Around { plan, instance, info: HandlerInfo { name: "durable_inline", ..info }, lends: Self::LENDS }
    }
}

#[cfg(feature = "durable")]
impl Behavior for Inline {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let id = call.event().and_then(<dyn DynNotification>::event_id).unwrap_or_default();
        let info = DeliveryInfo::new(1, format!("{id}/{}", self.handler), SystemTime::now());
        call.with(&info).run().await
    }
}

impl StandIn {
    fn apply<'a>(&'a self, bindings: &mut [Binding<'a>]) -> Option<BuildProblem> {
        let mut replaced = bindings.iter_mut().filter(|binding| self.stands_in_for(binding)).peekable();
        if replaced.peek().is_none() {
            return Some(self.unknown(bindings));
        }
        for binding in replaced {
            binding.plan = self.stand_in.registration.plan().identified_as(self.handler);
            binding.instance = Some(&self.stand_in.instance);
            binding.is_stand_in = true;
        }
        None
    }

    fn unknown(&self, bindings: &[Binding<'_>]) -> BuildProblem {
        let registration = &self.stand_in.registration;
        let message = registration.plan().message();
        let others = bindings.iter().filter(|binding| binding.plan.message() == message);
        BuildProblem::NothingToReplace {
            handler: self.handler_name,
            event_name: registration.message_name(),
            location: self.location,
            others: others.map(|binding| binding.registration.info()).collect(),
        }
    }
}
