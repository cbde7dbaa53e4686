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

mod build_error;
mod builder;
mod dispatch;
mod event;
mod event_id;
mod event_publisher;
mod group;
mod handler;
mod inject;
mod mediator;
mod order;
mod pending_events;
mod publish_error;
mod registry;
mod sequential;
#[cfg(feature = "testing")]
pub mod testing;
mod topology;

pub use crate::build_error::{BuildError, BuildProblem};
pub use crate::builder::MediatorBuilder;
pub use crate::dispatch::Publish;
pub use crate::event::{DynNotification, Event, Notification};
pub use crate::event_publisher::{Deliveries, Delivery, EventPublisher};
pub use crate::group::GroupEventPublisher;
pub use crate::handler::{EventHandler, HandlerFuture, HandlerOutput};
pub use crate::inject::{Inject, InjectError, Service, Services};
pub use crate::mediator::{Mediator, Publisher};
pub use crate::order::OrderStep;
pub use crate::pending_events::PendingEvents;
pub use crate::publish_error::{HandlerFailure, PublishError};
pub use crate::registry::{EventInfo, HandlerInfo, Registration};
pub use crate::sequential::SequentialEventPublisher;
pub use crate::topology::{EventNode, HandlerNode, ServiceUse, Topology};

#[cfg(feature = "macros")]
pub use mediator_macros::{Inject, Notification, event, event_handler};

#[cfg(feature = "link-modules")]
pub use mediator_macros::link_modules;

pub use uuid::Uuid;

/// What modules need: `use mediator_core::prelude::*;`.
pub mod prelude {
    pub use crate::{
        BuildError, DynNotification, Event, EventHandler, EventPublisher, GroupEventPublisher, Inject, Mediator,
        Notification, PendingEvents, PublishError, Publisher, SequentialEventPublisher, Uuid,
    };

    #[cfg(feature = "macros")]
    pub use crate::{event, event_handler};
}

/// What the macros' expansions use. Not part of the public API: anything here may change.
#[doc(hidden)]
pub mod __private {
    pub use crate::event_id::new as new_event_id;
    pub use crate::order::HandlerRef;
    pub use crate::registry::EventRegistration;
    pub use inventory;

    /// Passes on the `new` of an event.
    ///
    /// A second `new` is an error that rustc words, but for one thing: it says which macro the first one comes from.
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
