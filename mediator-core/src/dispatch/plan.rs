//! What a mediator knows of how to call a handler.

use std::any::TypeId;

use super::borrow::Borrow;
use super::request::Answers;
use super::vtable::{Compiled, FnHandler};
use crate::event::dynamic::DynNotification;
use crate::event::info::EventInfo;
use crate::event::notification::Notification;
use crate::handler::event_handler::EventHandler;
use crate::request::info::RequestInfo;
use crate::services::inject::Inject;

/// How to call handlers of one type with events, or requests, of one type.
#[derive(Clone, Copy)]
pub(crate) struct CallPlan {
    pub(crate) message: MessageInfo,
    /// The type of the instance.
    pub(crate) receiver: TypeId,
    /// Whose instance it is: that type's, or the function's whose parameters it holds.
    pub(crate) owner: TypeId,
    /// What others name the handler by: its type, or that of its function.
    pub(crate) identity: TypeId,
    pub(crate) borrows: &'static [Borrow],
    pub(super) argument: Argument,
    /// Of a request.
    pub(super) answers: Option<&'static Answers>,
    pub(super) compiled: Compiled,
}

/// A [`CallPlan`] as a constant, so that no code is compiled for each handler that makes one.
///
/// Functions stand for what is no constant in the oldest compiler that is supported.
#[allow(missing_debug_implementations)] // Nobody outside can name it.
#[doc(hidden)]
pub struct StaticPlan {
    pub(super) message: Handles,
    pub(super) receiver: fn() -> TypeId,
    pub(super) identity: fn() -> TypeId,
    /// Whether one instance of the receiver's type serves all handlers that are called on it.
    pub(super) is_shared: bool,
    pub(super) borrows: &'static [Borrow],
    pub(super) argument: Argument,
    pub(super) answers: Option<&'static Answers>,
    pub(super) compiled: Compiled,
}

/// What a handler handles.
#[derive(Clone, Copy)]
pub(crate) enum MessageInfo {
    Event(EventInfo),
    /// Of an observer.
    AnyEvent,
    Request(RequestInfo),
}

/// The same as a constant.
#[derive(Clone, Copy)]
pub(super) enum Handles {
    Event(fn() -> EventInfo),
    AnyEvent,
    Request(fn() -> RequestInfo),
}

/// What a handler is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Message,
    /// The message and what is lent.
    Dispatch,
}

impl CallPlan {
    pub(crate) fn of(plan: &StaticPlan) -> Self {
        let (receiver, identity) = ((plan.receiver)(), (plan.identity)());
        Self {
            message: plan.message(),
            receiver,
            owner: if plan.is_shared { receiver } else { identity },
            identity,
            borrows: plan.borrows,
            argument: plan.argument,
            answers: plan.answers,
            compiled: plan.compiled,
        }
    }

    /// The type of the event or the request; `None` for an observer.
    pub(crate) fn message(&self) -> Option<TypeId> {
        match self.message {
            MessageInfo::Event(event) => Some(event.type_id()),
            MessageInfo::AnyEvent => None,
            MessageInfo::Request(request) => Some(request.type_id()),
        }
    }

    /// The same for what others know as another handler.
    #[cfg(feature = "testing")]
    pub(crate) fn identified_as(self, identity: TypeId) -> Self {
        Self { identity, ..self }
    }

    pub(crate) fn is_of_request(&self) -> bool {
        matches!(self.message, MessageInfo::Request(_))
    }

    /// What it answers, if it is a request's.
    pub(super) fn request(&self) -> Option<(RequestInfo, &'static Answers)> {
        match self.message {
            MessageInfo::Request(request) => Some((request, self.answers?)),
            MessageInfo::Event(_) | MessageInfo::AnyEvent => None,
        }
    }
}

impl StaticPlan {
    pub(crate) fn message(&self) -> MessageInfo {
        match self.message {
            Handles::Event(event) => MessageInfo::Event(event()),
            Handles::AnyEvent => MessageInfo::AnyEvent,
            Handles::Request(request) => MessageInfo::Request(request()),
        }
    }

    pub(crate) const fn of_type<E: Notification, H: EventHandler<E>>() -> Self {
        Self {
            message: Handles::Event(EventInfo::of::<E>),
            receiver: TypeId::of::<H>,
            identity: TypeId::of::<H>,
            is_shared: true,
            borrows: &[],
            argument: Argument::Message,
            answers: None,
            compiled: Compiled::of_handler::<E, H>(),
        }
    }

    /// `Item` is the type of the function or method.
    pub(crate) const fn of_fn<E: Notification, F: FnHandler<E>, Item: 'static>() -> Self {
        Self {
            message: Handles::Event(EventInfo::of::<E>),
            receiver: TypeId::of::<F::Receiver>,
            identity: TypeId::of::<Item>,
            is_shared: F::Receiver::__IS_SHARED,
            borrows: F::BORROWS,
            argument: if F::BORROWS.is_empty() { Argument::Message } else { Argument::Dispatch },
            answers: None,
            compiled: Compiled::of_handler_fn::<E, F>(),
        }
    }

    pub(crate) const fn of_observer<H: EventHandler<dyn DynNotification>>() -> Self {
        Self {
            message: Handles::AnyEvent,
            receiver: TypeId::of::<H>,
            identity: TypeId::of::<H>,
            is_shared: true,
            borrows: &[],
            argument: Argument::Dispatch,
            answers: None,
            compiled: Compiled::of_observer::<H>(),
        }
    }

    pub(crate) const fn of_observer_fn<F: FnHandler<dyn DynNotification>, Item: 'static>() -> Self {
        Self {
            message: Handles::AnyEvent,
            receiver: TypeId::of::<F::Receiver>,
            identity: TypeId::of::<Item>,
            is_shared: F::Receiver::__IS_SHARED,
            borrows: F::BORROWS,
            argument: Argument::Dispatch,
            answers: None,
            compiled: Compiled::of_observer_fn::<F>(),
        }
    }
}
