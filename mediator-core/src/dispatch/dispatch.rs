//! One event on its way to its handlers, with what it lends.

use std::any::TypeId;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use super::borrow::{Borrow, NotLent, Reason};
use super::core::{Core, Link};
use super::lent::Lender;
use super::slot::Slot;
use super::table::{HandlerList, RequiredBorrow};
use super::vtable::{Argument, Polled};
use crate::errors::handler_failure::HandlerFailure;
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::event::id::EventId;
use crate::handler::info::HandlerInfo;

/// One event, its handlers, and what they may borrow.
///
/// Stays where it is while handlers run: they are called with a pointer to it.
pub(crate) struct Dispatch<'a> {
    core: &'a Core,
    handlers: &'a HandlerList,
    /// Of the type that `handlers` is for.
    event: &'a dyn DynNotification,
    lender: Lender<'a>,
    /// Whether handlers may run at once.
    is_concurrent: AtomicBool,
    /// Of the handles that this publish lends; owns nothing.
    pub(super) link: ManuallyDrop<Link>,
}

impl<'a> Dispatch<'a> {
    /// `handlers` are those of the event's type, in `core`.
    #[inline]
    pub(super) fn new(
        core: &'a Core,
        handlers: &'a HandlerList,
        event: &'a dyn DynNotification,
        lender: Lender<'a>,
        is_concurrent: bool,
    ) -> Self {
        let is_concurrent = AtomicBool::new(is_concurrent);
        Self { core, handlers, event, lender, is_concurrent, link: ManuallyDrop::new(Link::of_publish()) }
    }

    /// The handlers of `event`, if there are any, for a strategy that may run them at once.
    pub(crate) fn find(
        core: &'a Core,
        event: &'a dyn DynNotification,
        lender: Lender<'a>,
        is_concurrent: bool,
    ) -> Option<Self> {
        let handlers = core.table.handlers_of(event.type_id())?;
        Some(Self::new(core, handlers, event, lender, is_concurrent))
    }

    pub(crate) fn core(&self) -> &'a Core {
        self.core
    }

    pub(crate) fn event(&self) -> &'a dyn DynNotification {
        self.event
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
    pub(super) fn erased_event(&self) -> NonNull<()> {
        NonNull::from(self.event).cast()
    }

    #[inline]
    pub(super) fn lender(&self) -> Lender<'a> {
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
            conflict => Err(self.refusal(Vec::new(), conflict)),
        }
    }

    /// What the calls of the list are to be started with.
    #[inline]
    pub(super) fn argument(&self) -> NonNull<()> {
        match self.handlers.argument {
            Argument::Event => self.erased_event(),
            Argument::Dispatch => NonNull::from(self).cast(),
        }
    }

    /// Whether a `T` that a handler borrows is one of the handles, which every publish lends.
    #[inline]
    pub(super) fn lends_handle(&self, type_id: TypeId) -> bool {
        self.handlers.handles.contains(&type_id)
    }

    /// The id of the event that this publish, or the outermost one around it, is for.
    pub(crate) fn correlation_id(&self) -> Option<EventId> {
        let mut outermost = self;
        while let Some(outer) = outermost.lender.enclosing() {
            outermost = outer;
        }
        outermost.event.event_id()
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
        let can_have = |it: &RequiredBorrow| self.lender.can_lend(it.type_id, it.borrow.exclusive);
        for required in &self.handlers.required {
            if !can_have(required) {
                return self.explain_borrows();
            }
        }
        if self.handlers.conflict.is_some() && self.is_concurrent() { self.explain_borrows() } else { Ok(()) }
    }

    /// The check that collects every refusal; apart from the quick one, since it is rare.
    #[cold]
    fn explain_borrows(&self) -> Result<(), PublishError> {
        let refused: Vec<_> = self
            .handlers
            .required
            .iter()
            .filter(|it| !self.lender.can_lend(it.type_id, it.borrow.exclusive))
            .map(|it| (it.handler, self.lender.refusal(&it.borrow)))
            .collect();
        let conflict = self.handlers.conflict.filter(|_| self.is_concurrent());
        if refused.is_empty() && conflict.is_none() { Ok(()) } else { Err(self.refusal(refused, conflict)) }
    }

    #[cold]
    fn refusal(&self, mut refused: Vec<(usize, NotLent)>, conflict: Option<Conflict>) -> PublishError {
        let handlers = self.handlers();
        refused.extend(conflict.map(|Conflict { first, second, borrow }| {
            let reason = Reason::Conflict(handlers[first].to_string());
            let (parameter, type_name) = (borrow.parameter(), borrow.type_name());
            (second, NotLent { parameter, type_name, exclusive: borrow.exclusive, reason })
        }));
        let failures = refused
            .into_iter()
            .map(|(handler, error)| HandlerFailure::new(handlers[handler], Ok(Box::new(error.into()))));
        PublishError::new(PublishErrorKind::NotLent, self.event)
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
