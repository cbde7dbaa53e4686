//! A compile-time, macro-driven event bus.
//!
//! Annotate events and handlers anywhere in a workspace; the handlers of all linked crates are
//! collected at link time, and [`Mediator::publish`] calls each of them.
//!
//! ```
//! use mediator_core::prelude::*;
//!
//! #[event]
//! #[derive(Debug)]
//! pub struct OrderPlaced {
//!     pub order_id: String,
//! }
//!
//! #[event_handler]
//! async fn say_thanks(event: &OrderPlaced) {
//!     println!("thank you for order {}", event.order_id);
//! }
//!
//! # futures::executor::block_on(async {
//! let mediator = Mediator::new()?;
//! mediator.publish(OrderPlaced::new("o-1".into())).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

// From the ground up: a folder imports from itself and from those above it.
mod event;
mod handler;
mod errors;
mod services;
mod topology;
mod dispatch;
mod registry;
mod strategy;
mod mediator;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::dispatch::{Lend, Publish, Publishable, Scope};
pub use crate::errors::build_error::{BuildError, BuildProblem, OrderStep};
pub use crate::errors::handler_failure::HandlerFailure;
pub use crate::errors::panics::PanicPayload;
pub use crate::errors::publish_error::{PublishError, PublishErrorKind};
pub use crate::event::dynamic::DynNotification;
pub use crate::event::id::{EventId, ParseEventIdError};
pub use crate::event::info::EventInfo;
pub use crate::event::notification::{Event, Notification};
pub use crate::event::pending::PendingEvents;
pub use crate::handler::event_handler::{EventHandler, HandlerFuture, HandlerOutput};
pub use crate::handler::info::HandlerInfo;
pub use crate::mediator::builder::MediatorBuilder;
pub use crate::mediator::handles::{Mediator, Publisher};
pub use crate::registry::registration::Registration;
pub use crate::services::info::ServiceInfo;
pub use crate::services::inject::{Inject, InjectError, Service};
pub use crate::services::services::Services;
pub use crate::strategy::best_effort::BestEffortEventPublisher;
pub use crate::strategy::deliveries::{Deliveries, Delivery};
pub use crate::strategy::event_publisher::EventPublisher;
pub use crate::strategy::group::GroupEventPublisher;
pub use crate::strategy::join::JoinEventPublisher;
pub use crate::strategy::sequential::SequentialEventPublisher;
pub use crate::topology::{BorrowUse, EventNode, HandlerNode, ServiceNode, ServiceUse, Topology};

#[cfg(feature = "macros")]
pub use mediator_macros::{Inject, Notification, event, event_handler, event_handlers, service};

#[cfg(feature = "link-modules")]
pub use mediator_macros::link_modules;

pub use uuid::Uuid;

/// What modules need: `use mediator_core::prelude::*;`.
pub mod prelude {
    pub use crate::{
        BestEffortEventPublisher, BuildError, DynNotification, Event, EventHandler, EventId, EventPublisher,
        GroupEventPublisher, Inject, JoinEventPublisher, Mediator, Notification, PendingEvents, PublishError, Publisher,
        SequentialEventPublisher, Uuid,
    };

    #[cfg(feature = "macros")]
    pub use crate::{event, event_handler, event_handlers, service};
}

/// What the macros' expansions use. Not part of the public API: anything here may change.
#[doc(hidden)]
pub mod __private {
    pub use crate::dispatch::{Borrow, BorrowError, Exclusive, FnHandler, Handle, Lent, Shared};
    pub use crate::registry::event_registration::EventRegistration;
    pub use crate::registry::order::HandlerRef;
    pub use crate::registry::registration::HandlerRegistration;
    pub use crate::services::module_service::{ServiceAlias, ServiceRegistration};
    pub use inventory;

    /// Compiles if the event that an attribute names is the one that the function takes.
    pub const fn same_event<Named: ?Sized + SameEvent<Taken>, Taken: ?Sized>() {}

    #[diagnostic::on_unimplemented(
        message = "the function takes a `{Taken}`, not a `{Self}`",
        label = "not the event of the first parameter",
        note = "remove the event from the attribute, or take it as the first parameter"
    )]
    pub trait SameEvent<Taken: ?Sized> {}

    impl<E: ?Sized> SameEvent<E> for E {}

    /// Passes on the `new` of an event.
    ///
    /// A second `new` is an error that rustc words; this macro's name in it says where the first one comes from.
    #[macro_export]
    #[doc(hidden)]
    macro_rules! __your_own_new_needs_event_new_equals_false {
        ($(#[$attribute:meta])* $vis:vis fn $new:ident($($parameters:tt)*) -> Self $body:block) => {
            $(#[$attribute])*
            $vis fn $new($($parameters)*) -> Self $body
        };
    }
    pub use crate::__your_own_new_needs_event_new_equals_false as your_own_new_needs_event_new_equals_false;
}

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
