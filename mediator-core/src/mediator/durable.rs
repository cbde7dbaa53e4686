//! Durable handlers: how they are wired, and what a mediator does for workers.

use std::any::TypeId;
use std::sync::Arc;

use super::behaviors::Behaviors;
use super::builder::{ExternalEvents, GivenOutbox};
use super::handles::Mediator;
use super::wiring::{Binding, List};
use crate::dispatch::{
    Borrow, DeliveryRecorder, Dispatch, Durable, Entry, ErasedStrategy, Handle, HandlerList, LentToOutbox, Link,
    RecordFirst, RunInOrder, Seen, Strategy,
};
use crate::durable::external::External;
use crate::durable::handler::DurableHandler;
use crate::durable::info::DeliveryInfo;
use crate::durable::outbox::{Due, OutboxError};
use crate::errors::build_error::BuildProblem;
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::event::id::EventId;
#[cfg(feature = "testing")]
use crate::handler::error::BoxError;
use crate::registry::program;

/// What is wrong with a durable handler.
pub(super) fn amiss(
    binding: &Binding<'_>,
    behaviors: &Behaviors,
    outbox: Option<&GivenOutbox>,
    handles: &[TypeId],
) -> Vec<BuildProblem> {
    let handler = binding.registration.info();
    let Some(given) = outbox else { return vec![BuildProblem::NoOutbox { handler }] };
    let connection = given.outbox.connection();
    let is_lent = |borrow: &Borrow| {
        let is_info = !borrow.exclusive && borrow.type_id() == TypeId::of::<DeliveryInfo>();
        borrow.optional || borrow.is_of(handles) || is_info || connection == Some(borrow.type_id())
    };
    let borrows = behaviors.borrows_from_outside(&binding.plan).into_iter();
    let problem = |borrow: Borrow| BuildProblem::DurableBorrows {
        handler,
        parameter: borrow.parameter(),
        type_name: borrow.type_name(),
    };
    borrows.filter(|borrow| !is_lent(borrow)).map(problem).collect()
}

/// The strategy of an event: with durable handlers, or if it is external, one that records first.
pub(super) fn strategy(
    list: &List<'_>,
    outbox: Option<&GivenOutbox>,
    external: Option<&External>,
    strategy: &Strategy,
    boxed: &Arc<dyn ErasedStrategy>,
) -> Strategy {
    let options = list.durable.first().and_then(|first| first.registration.durable_options());
    let leaves = external.zip(list.message).and_then(|(external, message)| external.codec_of(message));
    let codec = options.map(|options| options.codec).or(leaves);
    let Some((codec, given)) = codec.zip(outbox) else { return strategy.clone() };
    let bus = leaves.and(external).map(External::name);
    let names = list.durable.iter().map(|binding| binding.registration.name()).chain(bus).collect();
    let recorder = DeliveryRecorder::new(given.outbox.clone(), codec, names);
    Strategy::Custom(Arc::new(RecordFirst { recorder, then: boxed.clone() }))
}

/// The bus with the events that go there, and what is wrong with them; `None` if they stay here.
pub(super) fn external(
    given: ExternalEvents,
    outbox: Option<&GivenOutbox>,
    bindings: &[Binding<'_>],
    problems: &mut Vec<BuildProblem>,
) -> Option<External> {
    let events = program::external_events();
    let (bus, location) = match given {
        ExternalEvents::Published { bus, location } => (bus, location),
        ExternalEvents::NeedBus => {
            problems.extend(events.iter().map(|&(event, _)| BuildProblem::NoExternalBus { event }));
            return None;
        }
        ExternalEvents::Stay => return None,
    };
    let external = External { bus, events };
    let bus = external.name();
    if outbox.is_none() {
        problems.push(BuildProblem::BusWithoutOutbox { bus, location });
    }
    let durable = bindings.iter().filter(|binding| binding.is_durable);
    let leaving = durable.filter(|binding| binding.plan.message().and_then(|it| external.codec_of(it)).is_some());
    let called_so =
        leaving.map(|binding| binding.registration).filter(|it| it.name() == bus || it.aliases().contains(&bus));
    problems.extend(called_so.map(|handler| BuildProblem::NamedLikeBus { handler: handler.info(), bus }));
    Some(external)
}

/// The durable handlers, each in a list of its own.
pub(super) fn handlers<'a>(
    lists: &[List<'a>],
    handles: &[TypeId],
    outbox: Option<&GivenOutbox>,
    external: Option<External>,
    mut entry: impl FnMut(&Binding<'a>) -> Option<Entry>,
) -> Durable {
    let mut handlers = Vec::new();
    for list in lists {
        for binding in &list.durable {
            let Some((options, entry)) = binding.registration.durable_options().zip(entry(binding)) else { continue };
            let borrows = binding.plan.borrows.iter().map(|borrow| borrow.type_id()).collect();
            let list = HandlerList::new(list.message, Strategy::InOrder, handles, vec![entry]);
            handlers.push(DurableHandler { options, list, borrows });
        }
    }
    Durable { handlers: handlers.into(), outbox: outbox.map(|given| given.outbox.clone()), external }
}

/// What a worker does through a mediator.
impl Mediator {
    /// The durable handlers, for workers; none through a weak handle, such as an injected one, which does not keep them.
    #[must_use]
    pub fn durable_handlers(&self) -> &[DurableHandler] {
        self.link().core().map_or(&[], |core| &core.durable.handlers)
    }

    /// The bus that takes external events to other services, for workers; none through a weak handle, as
    /// [`durable_handlers`](Self::durable_handlers).
    #[must_use]
    pub fn external(&self) -> Option<&External> {
        self.link().core().and_then(|core| core.durable.external.as_ref())
    }

    /// Calls one durable handler, with the behaviors around it, for a delivery of `event`; what it borrows is lent by
    /// [`with`](Self::with).
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Panics
    ///
    /// If the event is not of the handler's type.
    pub async fn deliver(&self, handler: &DurableHandler, event: &dyn DynNotification) -> Result<(), PublishError> {
        let link = self.link();
        let Some(core) = link.core() else { return Err(PublishError::mediator_dropped(event)) };
        let seen = if core.watch.is_on() { Seen::of_delivery(core, link, event) } else { None };
        let deliver = async {
            let dispatch = Dispatch::of_delivery(core, &handler.list, event, link.lender(), &seen);
            dispatch.check_borrows()?;
            RunInOrder::new(&dispatch).await
        };
        Seen::around(&seen, deliver).await
    }
}

/// Waits until all that was recorded for a mediator is delivered.
#[cfg(feature = "testing")]
pub(crate) async fn settle(mediator: &Mediator) -> Result<(), BoxError> {
    match mediator.link().core().and_then(|core| core.durable.outbox.as_ref()) {
        Some(outbox) => outbox.settle(mediator).await,
        None => Ok(()),
    }
}

/// Records the durable deliveries of an event that are due later.
pub(super) async fn schedule(link: &Link, event: &dyn DynNotification, due: Due) -> Result<(), PublishError> {
    let Some(core) = link.reach() else {
        return Err(PublishError::mediator_dropped(event));
    };
    let handlers = core.table.handlers_of(event.type_id());
    match handlers.and_then(|handlers| handlers.strategy.recorder()) {
        Some(recorder) => recorder.record(event, link.lender(), due).await,
        None => {
            let error = "no durable handler of this event is known here, so nothing would ever happen";
            Err(PublishError::new(PublishErrorKind::NotRecorded, event).with_cause(error.into()))
        }
    }
}

/// Takes back what was scheduled.
pub(super) async fn unschedule(link: &Link, event: EventId) -> Result<u64, OutboxError> {
    let Some(core) = link.reach() else {
        return Err(OutboxError::new(
            "the mediator was dropped, or is still being built; keep it, or a strong handle of it",
        ));
    };
    let Some(outbox) = &core.durable.outbox else {
        return Err(OutboxError::new("the mediator has no outbox; add `.outbox(…)`"));
    };
    outbox.unschedule(event, LentToOutbox::by(link.lender())).await.map_err(OutboxError::new)
}
