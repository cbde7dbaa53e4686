//! A compile-time, macro-driven event bus and mediator.
//!
//! Annotate events, requests and handlers anywhere in a workspace; the handlers of all linked crates are
//! collected at link time. [`Mediator::publish`] calls each handler of an event, and [`Mediator::send`] the one of a request,
//! which answers.
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
//!
//! # Map
//!
//! | to | see |
//! |---|---|
//! | declare an event | [`#[event]`](macro@event), [`#[derive(Notification)]`](derive@Notification), [`EventId`] |
//! | handle it | [`#[event_handler]`](macro@event_handler), [`#[event_handlers]`](macro@event_handlers) for methods, [`EventHandler`]; observers handle [`dyn DynNotification`](DynNotification) |
//! | declare a request | [`#[request]`](macro@request), [`Request`], [`RequestError`] |
//! | handle it | [`#[request_handler]`](macro@request_handler), [`#[request_handlers]`](macro@request_handlers) for methods, [`RequestHandler`] |
//! | send it | [`Mediator::send`], [`Sender`]; what goes wrong is a [`SendError`] |
//! | run something around handlers | [`#[behavior]`](macro@behavior), [`Behavior`], [`Call`], [`Outcome`]; `Timeout` and `Retry` |
//! | give handlers what they need | [`MediatorBuilder::provide`], [`#[service]`](macro@service), [`#[derive(Inject)]`](derive@Inject), [`Inject`], [`Services`] |
//! | build | [`Mediator::builder`], [`MediatorBuilder`]; what is wrong is a [`BuildError`] |
//! | publish | [`Mediator`], [`Publisher`] (the table there tells strong handles from weak ones) |
//! | lend a transaction or request data | [`Publisher::with`], [`Scope`], [`Lend`] |
//! | record domain events | [`PendingEvents`], [`Publisher::publish_all`] |
//! | choose a strategy, or write one | [`EventPublisher`], [`Deliveries`], [`Delivery`] |
//! | understand a failure | [`PublishError`], [`PublishErrorKind`], [`HandlerFailure`] |
//! | link the crates of an application | [`link_modules!`], `testing::assert_modules_linked` |
//! | test | `testing`, with the feature of that name: `Recorder`, `assert_published!`, `Scenario` |
//! | see what happens | features `tracing` and `metrics`, below |
//! | see who handles what, and whether it may | [`Mediator::topology`], [`Topology`], [`Module`] |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `macros` | yes | `#[event]`, `#[event_handler]`, `#[request]` and the other macros |
//! | `link-modules` | yes | [`link_modules!`], which reads manifests, and errors of the macros that know them |
//! | `serde` | no | events with ids can derive serde's traits; [`Topology`] serializes |
//! | `anyhow` | no | [`PublishError::downcast_ref`] looks into an `anyhow::Error` |
//! | `testing` | no | `testing`: recorders, stand-ins for handlers and scenarios, for tests |
//! | `link-check` | no | `testing::assert_modules_linked` |
//! | `tokio` | no | the behaviors `Timeout` and `Retry`, and the options `timeout` and `retry` of handlers |
//! | `tracing` | no | a span for each publish, each send and each call of a handler |
//! | `metrics` | no | counters and durations by event and handler |
//!
//! # To copy
//!
//! **axum:** a handle is part of the state. Spawned, the publish goes on when the client disconnects.
//!
//! ```ignore
//! let app = Router::new().route("/orders/{id}", post(place_order)).with_state(mediator.publisher());
//!
//! async fn place_order(State(publisher): State<Publisher>, Path(order_id): Path<u64>) -> StatusCode {
//!     let placed = tokio::spawn(async move { publisher.publish(OrderPlaced::new(order_id)).await });
//!     match placed.await {
//!         Ok(Ok(())) => StatusCode::CREATED,
//!         _ => StatusCode::INTERNAL_SERVER_ERROR,
//!     }
//! }
//! ```
//!
//! **A strategy that retries:**
//!
//! ```
//! use std::time::Duration;
//! use mediator_core::{Deliveries, prelude::*};
//!
//! /// Runs the handlers in order, and one that fails a second time.
//! struct Retry;
//!
//! impl EventPublisher for Retry {
//!     async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
//!         for delivery in deliveries.iter() {
//!             if delivery.deliver().await.is_ok() {
//!                 continue;
//!             }
//!             tokio::time::sleep(Duration::from_millis(100)).await;
//!             if let Err(failure) = delivery.deliver().await {
//!                 return deliveries.finish([failure]);
//!             }
//!         }
//!         deliveries.finish([])
//!     }
//! }
//!
//! let mediator = Mediator::builder().event_publisher(Retry).build()?;
//! # Ok::<(), BuildError>(())
//! ```
//!
//! **A unit test of a handler:**
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use mediator_core::prelude::*;
//!
//! #[event]
//! struct OrderPlaced { customer: String }
//!
//! type Outbox = Arc<Mutex<Vec<String>>>;
//!
//! #[event_handler(manual)]
//! async fn confirm(event: &OrderPlaced, outbox: Outbox) {
//!     outbox.lock().unwrap().push(event.customer.clone());
//! }
//!
//! // #[test] fn an_order_is_confirmed()
//! let outbox = Outbox::default();
//! let mediator = Mediator::builder().without_discovery().provide(outbox.clone()).bind_fn(confirm).build()?;
//! futures::executor::block_on(mediator.publish(OrderPlaced::new("ada".into())))?;
//! assert_eq!(*outbox.lock().unwrap(), ["ada"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

// From the ground up: a folder imports from itself and from those above it.
mod behavior;
mod dispatch;
#[cfg(feature = "durable")]
pub mod durable;
mod errors;
mod event;
mod handler;
mod mediator;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
mod observe;
mod registry;
mod request;
mod services;
mod strategy;
#[cfg(feature = "testing")]
pub mod testing;
mod topology;

pub use crate::behavior::behavior::{Behavior, Outcome};
pub use crate::behavior::message::{AnyMessage, Message};
#[cfg(feature = "tokio")]
pub use crate::behavior::{
    retry::Retry,
    timeout::{TimedOut, Timeout},
};
pub use crate::dispatch::{Call, Lend, Lending, Publish, Publishable, Scope, Sending};
#[cfg(feature = "durable")]
pub use crate::durable::{DeliveryInfo, Permanent, RetryAfter};
pub use crate::errors::build_error::{BuildError, BuildProblem, OrderStep};
pub use crate::errors::handler_failure::HandlerFailure;
pub use crate::errors::panics::PanicPayload;
pub use crate::errors::publish_error::{PublishError, PublishErrorKind};
pub use crate::errors::send_error::{SendError, SendFailure};
pub use crate::event::dynamic::DynNotification;
pub use crate::event::id::{EventId, ParseEventIdError};
pub use crate::event::info::EventInfo;
pub use crate::event::notification::{Event, Notification};
pub use crate::event::pending::PendingEvents;
pub use crate::handler::event_handler::{EventHandler, HandlerFuture, HandlerOutput};
pub use crate::handler::info::HandlerInfo;
pub use crate::handler::service_info::ServiceInfo;
pub use crate::mediator::builder::MediatorBuilder;
pub use crate::mediator::handles::{Mediator, Publisher, Sender};
pub use crate::registry::handled::Handled;
pub use crate::registry::registration::Registration;
pub use crate::request::info::RequestInfo;
pub use crate::request::request::{Request, RequestError};
pub use crate::request::request_handler::RequestHandler;
pub use crate::services::inject::{Inject, InjectError, Service};
pub use crate::services::services::Services;
pub use crate::strategy::best_effort::BestEffortEventPublisher;
pub use crate::strategy::deliveries::{Deliveries, Delivery};
pub use crate::strategy::event_publisher::EventPublisher;
pub use crate::strategy::group::GroupEventPublisher;
pub use crate::strategy::join::JoinEventPublisher;
pub use crate::strategy::sequential::SequentialEventPublisher;
pub use crate::topology::{
    BorrowUse, CrossedBoundary, EventNode, HandlerNode, Module, RequestNode, ServiceNode, ServiceUse, Topology,
};

#[cfg(feature = "macros")]
pub use mediator_macros::{
    Inject, Notification, behavior, event, event_handler, event_handlers, request, request_handler, request_handlers,
    service,
};

#[cfg(feature = "link-modules")]
pub use mediator_macros::link_modules;

pub use uuid::Uuid;

/// What modules need: `use mediator_core::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Behavior, BestEffortEventPublisher, BuildError, Call, DynNotification, Event, EventHandler, EventId,
        EventPublisher, GroupEventPublisher, Inject, JoinEventPublisher, Mediator, Notification, Outcome,
        PendingEvents, PublishError, Publisher, Request, RequestHandler, SendError, Sender, SequentialEventPublisher,
        Uuid,
    };

    #[cfg(feature = "macros")]
    pub use crate::{
        behavior, event, event_handler, event_handlers, request, request_handler, request_handlers, service,
    };
}

/// What the macros' expansions use. Not part of the public API: anything here may change.
#[doc(hidden)]
pub mod __private {
    pub use crate::__response_text as response_text;
    pub use crate::dispatch::{
        BehaviorPlan, Borrow, BorrowError, Exclusive, FnHandler, FnRequestHandler, Handle, Lent, MessageKind, OfAny,
        OfEvent, OfRequest, Shared, StaticPlan,
    };
    #[cfg(feature = "durable")]
    pub use crate::durable::{
        event::{Recordable, upcast},
        external::ExternalOptions,
        options::DurableOptions,
    };
    pub use crate::handler::error::BoxError;
    pub use crate::registry::behavior_registration::BehaviorRegistration;
    pub use crate::registry::event_registration::EventRegistration;
    pub use crate::registry::handler_behavior::HandlerBehavior;
    pub use crate::registry::linked_modules::LinkedModules;
    pub use crate::registry::order::{FunctionItem, HandlerRef};
    pub use crate::registry::registration::HandlerRegistration;
    pub use crate::registry::request_registration::RequestRegistration;
    pub use crate::request::recover::{Recover, RecoverOther};
    pub use crate::services::module_service::{
        ModuleService, ProvidedAs, ServiceAlias, ServiceFn, ServiceRegistration, Shareable, SharedTrait, service_error,
    };
    pub use crate::services::parameters::Parameters;
    pub use inventory;
    #[cfg(feature = "durable")]
    pub use serde_json;
    #[cfg(feature = "durable")]
    pub use std::string::{String, ToString};

    /// Compiles if the event or request that an attribute names is the one that the function takes.
    pub const fn same_message<Named: ?Sized + SameMessage<Taken>, Taken: ?Sized>() {}

    #[diagnostic::on_unimplemented(
        message = "the function handles `{Taken}`, not `{Self}`",
        label = "not what the first parameter is",
        note = "remove it from the attribute, or take it as the first parameter"
    )]
    pub trait SameMessage<Taken: ?Sized> {}

    impl<M: ?Sized> SameMessage<M> for M {}

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

/// Runs the examples of the README and of the book.
#[cfg(doctest)]
mod readme {
    macro_rules! pages {
        ($($page:ident: $path:literal,)*) => {
            $(
                #[doc = include_str!($path)]
                struct $page;
            )*
        };
    }

    pages! {
        Readme: "../../README.md",
        Events: "../../docs/events.md",
        Handlers: "../../docs/handlers.md",
        Injection: "../../docs/injection.md",
        Publishing: "../../docs/publishing.md",
        Lending: "../../docs/lending.md",
        Requests: "../../docs/requests.md",
        Strategies: "../../docs/strategies.md",
        Failures: "../../docs/failures.md",
        ModulesAndLinking: "../../docs/modules-and-linking.md",
        Order: "../../docs/order.md",
        Topology: "../../docs/topology.md",
        Observability: "../../docs/observability.md",
        Recipes: "../../docs/recipes.md",
        Performance: "../../docs/performance.md",
    }

    // Its examples have timeouts.
    #[cfg(feature = "tokio")]
    pages! {
        Behaviors: "../../docs/behaviors.md",
    }

    #[cfg(all(feature = "testing", feature = "tokio"))]
    pages! {
        Testing: "../../docs/testing.md",
    }
}
