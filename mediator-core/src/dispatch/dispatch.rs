//! One event or request on its way to its handlers, with what it lends.

use std::any::{Any, TypeId};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use super::borrow::{Borrow, NotLent, Reason};
use super::core::{Core, Link};
use super::lent::{Lender, Values};
use super::observed::{Reports, Seen};
use super::plan::Argument;
#[cfg(feature = "durable")]
use super::recording::DeliveryRecorder;
use super::slot::Slot;
use super::storage::Storage;
use super::table::{HandlerList, RequiredBorrow};
use super::vtable::Polled;
#[cfg(feature = "durable")]
use crate::durable::info::DeliveryInfo;
use crate::errors::handler_failure::HandlerFailure;
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::event::id::EventId;
use crate::handler::info::HandlerInfo;

/// What is dispatched.
#[derive(Clone, Copy)]
pub(super) enum Message<'a> {
    Event(&'a dyn DynNotification),
    Request(&'a (dyn Any + Send + Sync)),
}

/// One event or request, its handlers, and what they may borrow.
///
/// Stays where it is while handlers run: they are called with a pointer to it.
pub(crate) struct Dispatch<'a> {
    handlers: &'a HandlerList,
    /// Of the type that `handlers` is for.
    message: Message<'a>,
    lender: Lender<'a>,
    /// Whether handlers may run at once.
    is_concurrent: AtomicBool,
    /// How much memory there is where the list's calls keep their futures, in bytes.
    room: u32,
    #[cfg_attr(not(any(feature = "tracing", feature = "metrics", feature = "testing")), allow(dead_code))]
    reports: Reports<'a>,
    /// Of the handles that this publish or send lends, with its mediator; owns nothing.
    pub(super) link: ManuallyDrop<Link>,
}

impl<'a> Dispatch<'a> {
    /// `handlers` are those of the message's type, in `core`. Where the calls of the list keep their futures, there are `room`
    /// bytes.
    #[inline]
    pub(super) fn new(
        core: &'a Core,
        handlers: &'a HandlerList,
        message: Message<'a>,
        lender: Lender<'a>,
        is_concurrent: bool,
        room: u32,
    ) -> Self {
        let (is_concurrent, reports) = (AtomicBool::new(is_concurrent), Reports::NONE);
        // SAFETY: borrowed for `'a`.
        let link = ManuallyDrop::new(unsafe { Link::of_publish(core) });
        Self { handlers, message, lender, is_concurrent, room, reports, link }
    }

    /// Where the handlers are observed.
    #[inline]
    pub(super) fn reporting(self, reports: Reports<'a>) -> Self {
        Self { reports, ..self }
    }

    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) fn reports(&self) -> Reports<'a> {
        self.reports
    }

    /// The same message for the same handlers, with what a behavior lends.
    pub(super) fn lending(&'a self, values: &'a Values) -> Self {
        Self::new(self.core(), self.handlers, self.message, Lender::Scope(values), self.is_concurrent(), Storage::SIZE)
            .reporting(self.reports)
    }

    #[inline]
    pub(super) fn room(&self) -> usize {
        self.room as usize
    }

    pub(super) fn message(&self) -> Message<'a> {
        self.message
    }

    /// The handlers of `event`, if there are any, for a strategy that may run them at once.
    pub(crate) fn find(
        core: &'a Core,
        event: &'a dyn DynNotification,
        lender: Lender<'a>,
        is_concurrent: bool,
        seen: &'a Option<Seen>,
    ) -> Option<Self> {
        let handlers = Seen::list(seen, core.table.handlers_of(event.type_id())?);
        let dispatch = Self::new(core, handlers, Message::Event(event), lender, is_concurrent, Storage::SIZE);
        Some(dispatch.reporting(Reports::to(seen)))
    }

    /// One durable handler that is called by a worker.
    #[cfg(feature = "durable")]
    pub(crate) fn of_delivery(
        core: &'a Core,
        handler: &'a HandlerList,
        event: &'a dyn DynNotification,
        lender: Lender<'a>,
        seen: &'a Option<Seen>,
    ) -> Self {
        assert!(handler.is_for(event.type_id()), "an event that was not decoded by this handler");
        let dispatch = Self::new(core, Seen::list(seen, handler), Message::Event(event), lender, false, Storage::SIZE);
        dispatch.reporting(Reports::to(seen))
    }

    pub(crate) fn core(&self) -> &Core {
        self.link.core().expect("every dispatch is made with its mediator")
    }

    /// # Panics
    ///
    /// If this is a request, whose handler is neither an observer nor run by a strategy.
    #[inline]
    pub(crate) fn event(&self) -> &'a dyn DynNotification {
        match self.message {
            Message::Event(event) => event,
            Message::Request(_) => unreachable!("a request is no event"),
        }
    }

    pub(crate) fn handlers(&self) -> &'a [HandlerInfo] {
        self.handlers.infos()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.handlers().len()
    }

    #[inline]
    pub(super) fn list(&self) -> &'a HandlerList {
        self.handlers
    }

    #[inline]
    pub(super) fn erased_message(&self) -> NonNull<()> {
        match self.message {
            Message::Event(event) => NonNull::from(event).cast(),
            Message::Request(request) => NonNull::from(request).cast(),
        }
    }

    #[inline]
    pub(crate) fn lender(&self) -> Lender<'a> {
        self.lender
    }

    pub(super) fn is_concurrent(&self) -> bool {
        self.is_concurrent.load(Ordering::Relaxed)
    }

    /// Handlers are going to be run at once.
    ///
    /// # Errors
    ///
    /// If two of them cannot both have what they borrow.
    pub(crate) fn run_at_once(&self) -> Result<(), PublishError> {
        self.is_concurrent.store(true, Ordering::Relaxed);
        match self.handlers.conflict {
            None => Ok(()),
            conflict => Err(self.refuse(self.refusal(Vec::new(), conflict))),
        }
    }

    /// What the calls of the list are to be started with.
    #[inline]
    pub(super) fn argument(&self) -> NonNull<()> {
        match self.handlers.argument {
            Argument::Message => self.erased_message(),
            Argument::Dispatch => NonNull::from(self).cast(),
        }
    }

    /// Whether handlers run at once, and one of them needs what another one could borrow, but not both can have.
    pub(super) fn is_needed(&self, type_id: &TypeId, exclusive: bool) -> bool {
        let excludes = |needed: &RequiredBorrow| needed.type_id == *type_id && (exclusive || needed.borrow.exclusive);
        self.is_concurrent() && self.handlers.required.iter().any(excludes)
    }

    /// Whether a `T` that a handler borrows is one of the handles, which every publish and every send lends.
    #[inline]
    pub(super) fn lends_handle(&self, type_id: TypeId) -> bool {
        self.handlers.handles.contains(&type_id)
    }

    /// The innermost event that is being handled.
    pub(crate) fn cause(&self) -> Option<&'a dyn DynNotification> {
        self.events().next()
    }

    /// The id of the outermost event that is being handled; within a durable delivery, that of the publish that recorded it.
    pub(crate) fn correlation_id(&self) -> Option<EventId> {
        #[cfg(feature = "durable")]
        if let Some(recorded) = self.lender.delivery().and_then(DeliveryInfo::correlation_id) {
            return Some(recorded);
        }
        self.events().last()?.event_id()
    }

    /// The event, if it is one, and those of the publishes around it.
    fn events(&self) -> impl Iterator<Item = &'a dyn DynNotification> {
        let around = std::iter::successors(self.lender.enclosing(), |inner| inner.lender.enclosing());
        let messages = std::iter::once(self.message).chain(around.map(|publish| publish.message));
        messages.filter_map(|message| match message {
            Message::Event(event) => Some(event),
            Message::Request(_) => None,
        })
    }

    /// Who records the durable deliveries, if there are any.
    #[cfg(feature = "durable")]
    pub(crate) fn recorder(&self) -> Option<&'a DeliveryRecorder> {
        self.handlers.strategy.recorder()
    }

    /// Starts one handler in `slot` and polls it; a panic of the handler passes through.
    ///
    /// # Panics
    ///
    /// If there are no more than `index` handlers, the slot is in use, or the handler panics.
    #[inline]
    pub(crate) fn start(&'a self, index: usize, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) -> Polled {
        let call = self.handlers.call(index);
        // SAFETY: the argument is what the calls of the list take, borrowed for `'a` like the list.
        unsafe { slot.start((index, call), self.argument(), cx) }
    }

    /// An error if a handler borrows what this publish does not lend, or what another one that runs at once has.
    ///
    /// # Errors
    ///
    /// Of the kind `NotLent`, with every handler that cannot borrow.
    #[inline]
    pub(crate) fn check_borrows(&self) -> Result<(), PublishError> {
        if self.can_borrow() { Ok(()) } else { self.refuse_borrows() }
    }

    /// The check that collects every refusal; apart from the quick one, since it is rare.
    #[cold]
    fn refuse_borrows(&self) -> Result<(), PublishError> {
        match self.explain_borrows() {
            refused if refused.is_empty() => Ok(()),
            refused => Err(self.refuse(refused)),
        }
    }

    /// Why the handler of a request cannot borrow, if it cannot.
    #[inline]
    pub(super) fn check_borrows_of_request(&self) -> Option<String> {
        if self.can_borrow() { None } else { Some(self.explain_borrows_of_request()) }
    }

    #[cold]
    fn explain_borrows_of_request(&self) -> String {
        let reasons: Vec<_> = self.explain_borrows().into_iter().map(|(_, it)| it.of_send().to_string()).collect();
        reasons.join("; ")
    }

    /// Whether every handler can borrow what it does.
    #[inline]
    fn can_borrow(&self) -> bool {
        // Then nothing excludes anything either.
        self.handlers.required.is_empty() || self.can_borrow_required()
    }

    // A plain loop: compilers make calls of iterators. Not inlined, since most lists require nothing.
    #[inline(never)]
    fn can_borrow_required(&self) -> bool {
        for required in &self.handlers.required {
            if !self.can_have(required) {
                return false;
            }
        }
        self.handlers.conflict.is_none() || !self.is_concurrent()
    }

    #[inline]
    fn can_have(&self, required: &RequiredBorrow) -> bool {
        self.lender.can_lend(&required.type_id, required.borrow.exclusive)
    }

    /// Why handlers cannot borrow, each with its place.
    #[cold]
    fn explain_borrows(&self) -> Vec<(usize, NotLent)> {
        let refused: Vec<_> = self
            .handlers
            .required
            .iter()
            .filter(|it| !self.can_have(it))
            .map(|it| (it.handler, self.lender.refusal(&it.borrow)))
            .collect();
        let conflict = self.handlers.conflict.filter(|_| self.is_concurrent());
        self.refusal(refused, conflict)
    }

    fn refusal(&self, mut refused: Vec<(usize, NotLent)>, conflict: Option<Conflict>) -> Vec<(usize, NotLent)> {
        let handlers = self.handlers();
        refused.extend(conflict.map(|Conflict { first, second, borrow }| {
            let reason = Reason::Conflict(handlers[first].to_string());
            let (parameter, type_name) = (borrow.parameter(), borrow.type_name());
            (second, NotLent::new(parameter, type_name, borrow.exclusive, reason))
        }));
        refused
    }

    /// The error of a publish whose handlers cannot borrow.
    #[cold]
    fn refuse(&self, refused: Vec<(usize, NotLent)>) -> PublishError {
        let handlers = self.handlers();
        let failures = refused
            .into_iter()
            .map(|(handler, error)| HandlerFailure::new(handlers[handler], Ok(Box::new(error.into()))));
        PublishError::new(PublishErrorKind::NotLent, self.event())
            .with_reason("no handler was started".to_owned())
            .with_failures(failures)
    }
}

/// Two handlers that cannot run at once.
#[derive(Clone, Copy)]
pub(crate) struct Conflict {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// What the second one borrows.
    pub(crate) borrow: Borrow,
}

/// The first two of the handlers, each with its place, that exclude each other.
pub(crate) fn conflict(borrows: &[(usize, Borrow)]) -> Option<Conflict> {
    borrows.iter().enumerate().find_map(|(index, (second, borrow))| {
        let excludes = |(first, other): &&(usize, Borrow)| {
            let needed = !borrow.optional && !other.optional;
            first != second && needed && borrow.excludes(other)
        };
        let (first, _) = borrows[..index].iter().find(excludes)?;
        Some(Conflict { first: *first, second: *second, borrow: *borrow })
    })
}
