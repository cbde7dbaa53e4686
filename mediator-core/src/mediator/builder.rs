//! What a mediator is made of.

use std::any::{TypeId, type_name};
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::handles::{Mediator, is_handle};
use super::kit::Kit;
use super::wiring;
use crate::behavior::behavior::Behavior;
use crate::behavior::message::Message;
#[cfg(feature = "durable")]
use crate::dispatch::ErasedStrategy;
use crate::dispatch::{Instance, Strategy, TypeIdMap};
#[cfg(feature = "durable")]
use crate::durable::{
    external::{ErasedBus, ExternalBus},
    outbox::Outbox,
};
use crate::errors::build_error::{BuildError, BuildProblem};
use crate::event::info::EventInfo;
use crate::event::notification::Notification;
use crate::handler::event_handler::EventHandler;
use crate::registry::behavior_registration::{BehaviorRegistration, ReadyMadeBehavior};
use crate::registry::handled::Handled;
use crate::registry::program;
use crate::registry::registration::{self, HandlerRegistration, ReadyMade, Registration};
use crate::request::request::Request;
use crate::request::request_handler::RequestHandler;
use crate::services::inject::{Inject, Service};
use crate::services::module_service::{ModuleServices, ServiceRegistration};
use crate::services::services::{Offer, ProvidedInstance};
use crate::strategy::event_publisher::EventPublisher;
use crate::strategy::sequential::SequentialEventPublisher;

/// Collects what a mediator is made of.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler(OrderPlaced)]
/// struct CountOrders { count: Arc<AtomicUsize> }
///
/// impl EventHandler<OrderPlaced> for CountOrders {
///     async fn handle(&self, _event: &OrderPlaced) {
///         self.count.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let count = Arc::new(AtomicUsize::new(0));
/// let mediator = Mediator::builder().provide(count.clone()).build()?;
/// # futures::executor::block_on(mediator.publish(OrderPlaced::new()))?;
/// # assert_eq!(count.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct MediatorBuilder {
    // In order, and not copied unless some are left out.
    pub(super) discovered: Cow<'static, [&'static HandlerRegistration]>,
    pub(super) module_services: Cow<'static, [&'static ServiceRegistration]>,
    pub(super) discovered_behaviors: Cow<'static, [BehaviorRegistration]>,
    pub(super) given_behaviors: Vec<ReadyMadeBehavior>,
    pub(super) offer: Offer,
    pub(super) explicit: Vec<Explicit>,
    pub(super) strategy: ChosenStrategy,
    /// Those of single events.
    pub(super) strategies: TypeIdMap<ChosenStrategy>,
    pub(super) required: Vec<(EventInfo, &'static Location<'static>)>,
    pub(super) unhandled_requests: UnhandledRequests,
    #[cfg(feature = "durable")]
    pub(super) outbox: Option<GivenOutbox>,
    #[cfg(feature = "durable")]
    pub(super) external: ExternalEvents,
    pub(super) problems: Vec<BuildProblem>,
    /// What tests change.
    pub(crate) kit: Kit,
}

/// A handler that the builder was given, with its instance if it need not be built.
pub(super) struct Explicit {
    pub(super) registration: HandlerRegistration,
    pub(super) instance: Option<Instance>,
    /// See [`ReadyMade`].
    pub(super) provided: fn(&Offer) -> Option<ProvidedInstance>,
}

impl Explicit {
    fn to_build(registration: HandlerRegistration) -> Self {
        Self { registration, instance: None, provided: |_| None }
    }

    fn ready_made(ReadyMade { registration, instance, provided }: ReadyMade) -> Self {
        Self { registration, instance: Some(instance), provided }
    }
}

/// Which requests may be without a handler.
pub(super) enum UnhandledRequests {
    /// All: the builder was told so, or it knows some handlers only.
    Allowed,
    /// None but these.
    AllowedOf(TypeIdMap<()>),
}

/// The outbox, and where the builder was given it.
#[cfg(feature = "durable")]
pub(super) struct GivenOutbox {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) location: &'static Location<'static>,
}

/// What becomes of the events that other services know.
#[cfg(feature = "durable")]
pub(super) enum ExternalEvents {
    /// A bus is missing, if there is any.
    NeedBus,
    /// They stay here: the builder was told so, or it knows some handlers only.
    Stay,
    Published {
        bus: Box<dyn ErasedBus>,
        location: &'static Location<'static>,
    },
}

/// A strategy, and its type for people to read.
pub(super) struct ChosenStrategy {
    pub(super) strategy: Strategy,
    /// The same, to be run by another one.
    #[cfg(feature = "durable")]
    pub(super) boxed: Arc<dyn ErasedStrategy>,
    pub(super) name: &'static str,
}

impl ChosenStrategy {
    fn new<P: EventPublisher>(publisher: P) -> Self {
        let publisher = Arc::new(publisher);
        Self {
            #[cfg(feature = "durable")]
            boxed: publisher.clone(),
            strategy: publisher.__erase().0,
            name: type_name::<P>(),
        }
    }
}

impl MediatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            discovered: program::handlers().into(),
            module_services: ModuleServices::discovered().into(),
            discovered_behaviors: program::behaviors().into(),
            given_behaviors: Vec::new(),
            offer: Offer::default(),
            explicit: Vec::new(),
            strategy: ChosenStrategy::new(SequentialEventPublisher),
            strategies: TypeIdMap::default(),
            required: Vec::new(),
            unhandled_requests: UnhandledRequests::AllowedOf(TypeIdMap::default()),
            #[cfg(feature = "durable")]
            outbox: None,
            #[cfg(feature = "durable")]
            external: ExternalEvents::NeedBus,
            problems: Vec::new(),
            kit: Kit::default(),
        }
    }

    /// Makes a value available for injection, by its exact type: provide an `Arc<dyn Mailer>` as
    /// `mailer as Arc<dyn Mailer>`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mediator_core::prelude::*;
    ///
    /// trait Mailer: Send + Sync {}
    /// struct Smtp;
    /// impl Mailer for Smtp {}
    ///
    /// let mediator = Mediator::builder().provide(Arc::new(Smtp) as Arc<dyn Mailer>).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// Providing two values of one type is an error of [`build`](Self::build). So is a `Publisher`, a `Sender` or
    /// a `Mediator`: the mediator provides its own.
    #[track_caller]
    pub fn provide<T: Service>(mut self, service: T) -> Self {
        let second = Location::caller();
        if is_handle::<T>() {
            self.problems.push(BuildProblem::ProvidedHandle { service: type_name::<T>(), location: second });
        } else if let Err(first) = self.offer.insert(service, second) {
            self.problems.push(BuildProblem::DuplicateService { service: type_name::<T>(), first, second });
        }
        self
    }

    /// Sets the strategy of all publishes that do not bring their own; by default
    /// [`SequentialEventPublisher`].
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// let mediator = Mediator::builder().event_publisher(GroupEventPublisher).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn event_publisher<P: EventPublisher>(mut self, publisher: P) -> Self {
        self.strategy = ChosenStrategy::new(publisher);
        self
    }

    /// Sets the strategy of all publishes of `E` that do not bring their own.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// #[event]
    /// struct OrderPlaced {}
    ///
    /// let mediator = Mediator::builder().event_publisher_for::<OrderPlaced>(GroupEventPublisher).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn event_publisher_for<E: Notification>(mut self, publisher: impl EventPublisher) -> Self {
        self.strategies.insert(TypeId::of::<E>(), ChosenStrategy::new(publisher));
        self
    }

    /// Ignores the handlers, services and behaviors that were collected at link time; those of [`bind`](Self::bind), of similar
    /// calls, of [`provide`](Self::provide) and of [`behavior`](Self::behavior) remain. Requests may be without a handler then,
    /// and external events without a bus.
    pub fn without_discovery(mut self) -> Self {
        self.discovered = Cow::Borrowed(&[]);
        self.module_services = Cow::Borrowed(&[]);
        self.without_behaviors().allow_unhandled_requests().allow_missing_bus()
    }

    /// Restricts discovery to the registrations that `keep` accepts; called again, to those
    /// that both do.
    ///
    /// So one program can play several roles, and a test can look at one module alone:
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// let mediator = Mediator::builder()
    ///     .discover_where(|registration| registration.crate_name() == "billing")
    ///     .build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// Other handlers may still name those left out in `after` and `before`; it then has no effect. Requests may be without a
    /// handler then.
    pub fn discover_where(mut self, mut keep: impl FnMut(&Registration) -> bool) -> Self {
        self.discovered.to_mut().retain(|handler| keep(handler.registration()));
        self.module_services.to_mut().retain(|service| keep(&Registration::of_service(service.info().as_handler())));
        self.discovered_behaviors.to_mut().retain(|behavior| keep(&Registration::of_behavior(behavior.info)));
        self.allow_unhandled_requests().allow_missing_bus()
    }

    /// Registers a handler by hand, to be built from the services.
    ///
    /// Runs after the discovered handlers of the event, in the order of the calls, whatever an
    /// `#[event_handler(…)]` of its own says; but others may name it in their `after` or `before`.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[derive(Inject)]
    /// struct Audit;
    ///
    /// impl EventHandler<OrderPlaced> for Audit {
    ///     async fn handle(&self, _event: &OrderPlaced) {}
    /// }
    ///
    /// let mediator = Mediator::builder().without_discovery().bind::<OrderPlaced, Audit>().build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// An observer is bound to `dyn DynNotification`:
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// #[event_handler(dyn DynNotification, manual)]
    /// struct Trace;
    ///
    /// impl EventHandler<dyn DynNotification> for Trace {
    ///     async fn handle(&self, event: &dyn DynNotification) {
    ///         println!("{}", event.event_name());
    ///     }
    /// }
    ///
    /// let mediator = Mediator::builder().without_discovery().bind::<dyn DynNotification, Trace>().build()?;
    /// assert_eq!(mediator.topology().observers().len(), 1);
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn bind<E: Handled + ?Sized, H: EventHandler<E> + Inject>(mut self) -> Self {
        self.explicit.push(Explicit::to_build(HandlerRegistration::bound::<E, H>()));
        self
    }

    /// Registers a function or a method that `#[event_handler]` or `#[request_handler]` stands on, as
    /// `#[event_handler(manual)]`, to be built from the services.
    ///
    /// Runs after the discovered handlers of the event, in the order of the calls, like [`bind`](Self::bind).
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[event_handler(manual)]
    /// async fn write_invoice(_event: &OrderPlaced) {}
    ///
    /// let mediator = Mediator::builder().bind_fn(write_invoice).build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn bind_fn<F: Copy + 'static>(mut self, _function: F) -> Self {
        let location = Location::caller();
        match registration::of_function(TypeId::of::<F>()) {
            Some(handler) => {
                self.explicit.push(Explicit::to_build(handler.rebound(location)));
            }
            None => self.problems.push(BuildProblem::UnknownFunction { function: type_name::<F>(), location }),
        }
        self
    }

    /// Registers a ready-made handler, or an `Arc` of one to look into afterwards.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[derive(Default)]
    /// struct Count(AtomicUsize);
    ///
    /// impl EventHandler<OrderPlaced> for Count {
    ///     async fn handle(&self, _event: &OrderPlaced) {
    ///         self.0.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let count = Arc::new(Count::default());
    /// let mediator = Mediator::builder().without_discovery().bind_handler::<OrderPlaced, _>(count.clone()).build()?;
    /// futures::executor::block_on(mediator.publish(OrderPlaced))?;
    /// assert_eq!(count.0.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Runs after the discovered handlers of the event, in the order of the calls. A handler that
    /// publishes in turn takes a [downgraded](crate::Publisher::downgrade) publisher.
    ///
    /// All registrations of one type share one instance, discovered ones too, and so does a service `Arc<H>` that is
    /// [provided](Self::provide): bind clones of one `Arc`, or tell instances apart by
    /// [`bind_handler_named`](Self::bind_handler_named).
    #[track_caller]
    pub fn bind_handler<E: Handled + ?Sized, H: EventHandler<E>>(mut self, handler: H) -> Self {
        self.explicit.push(Explicit::ready_made(ReadyMade::new(handler)));
        self
    }

    /// Registers one of several ready-made handlers of one type, under a name of its own.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// struct Webhook { url: &'static str }
    ///
    /// impl EventHandler<OrderPlaced> for Webhook {
    ///     async fn handle(&self, _event: &OrderPlaced) {
    ///         println!("POST {}", self.url);
    ///     }
    /// }
    ///
    /// let mediator = Mediator::builder()
    ///     .bind_handler_named::<OrderPlaced, _>("webhook a", Webhook { url: "https://a.example" })
    ///     .bind_handler_named::<OrderPlaced, _>("webhook b", Webhook { url: "https://b.example" })
    ///     .build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn bind_handler_named<E: Handled + ?Sized, H: EventHandler<E>>(
        mut self,
        name: &'static str,
        handler: H,
    ) -> Self {
        let ready_made = ReadyMade::new(handler);
        let registration = ready_made.registration.named_instance(name);
        self.explicit.push(Explicit::ready_made(ReadyMade { registration, ..ready_made }));
        self
    }

    /// Registers the handler of a request by hand, to be built from the services.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// # #[request(usize)] struct CountOrders;
    /// #[derive(Inject)]
    /// struct Counter;
    ///
    /// impl RequestHandler<CountOrders> for Counter {
    ///     async fn handle(&self, _request: &CountOrders) -> usize { 0 }
    /// }
    ///
    /// let mediator = Mediator::builder().without_discovery().bind_request::<CountOrders, Counter>().build()?;
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn bind_request<R: Request, H: RequestHandler<R> + Inject>(mut self) -> Self {
        let registration = HandlerRegistration::bound_request::<R, H>();
        self.explicit.push(Explicit::to_build(registration));
        self
    }

    /// Registers a ready-made handler of a request, or an `Arc` of one to look into afterwards.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// # #[request(usize)] struct CountOrders;
    /// struct Always(usize);
    ///
    /// impl RequestHandler<CountOrders> for Always {
    ///     async fn handle(&self, _request: &CountOrders) -> usize { self.0 }
    /// }
    ///
    /// let builder = Mediator::builder().without_discovery();
    /// let mediator = builder.bind_request_handler::<CountOrders, _>(Always(3)).build()?;
    /// assert_eq!(futures::executor::block_on(mediator.send(CountOrders))?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// All registrations of one type share one instance, as with [`bind_handler`](Self::bind_handler).
    #[track_caller]
    pub fn bind_request_handler<R: Request, H: RequestHandler<R>>(mut self, handler: H) -> Self {
        self.explicit.push(Explicit::ready_made(ReadyMade::of_request::<R, _>(handler)));
        self
    }

    /// Puts a ready-made behavior around the handlers of `M`, or around all: inside of the discovered ones, in the order of the
    /// calls.
    ///
    /// A value of a type that [`#[behavior]`](macro@crate::behavior) stands on takes the place of the discovered one instead: its
    /// order is what the attribute says, and so is what it lends.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// # #[request(u32)] struct Divide { a: u32, b: u32 }
    /// # #[request_handler]
    /// # fn divide(request: &Divide) -> u32 { request.a / request.b }
    /// struct AtMost(u32);
    ///
    /// impl Behavior<Divide> for AtMost {
    ///     async fn handle(&self, mut call: Call<'_, Divide>) -> Result<u32, SendError> {
    ///         if call.message().b == 0 {
    ///             return call.refuse("there is no such number");
    ///         }
    ///         Ok(call.run().await?.min(self.0))
    ///     }
    /// }
    ///
    /// let mediator = Mediator::builder().behavior(AtMost(10)).build()?;
    /// assert_eq!(futures::executor::block_on(mediator.send(Divide { a: 90, b: 3 }))?, 10);
    /// let error = futures::executor::block_on(mediator.send(Divide { a: 1, b: 0 })).unwrap_err();
    /// assert!(matches!(error, SendError::Refused(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Where a type is a behavior around several messages, say which: `.behavior::<Divide, _>(AtMost(10))`.
    #[track_caller]
    pub fn behavior<M: Message, B: Behavior<M>>(mut self, behavior: B) -> Self {
        self.given_behaviors.push(ReadyMadeBehavior::new::<M, B>(behavior));
        self
    }

    /// Ignores the behaviors that were collected at link time; those of [`behavior`](Self::behavior) remain.
    pub fn without_behaviors(mut self) -> Self {
        self.discovered_behaviors = Cow::Borrowed(&[]);
        self
    }

    /// Records the deliveries to durable handlers in `outbox`, as a `SqliteOutbox` or a `PostgresOutbox` of `mediator-outbox`.
    ///
    /// A mediator with durable handlers needs one, and has one: two databases are two mediators.
    #[cfg(feature = "durable")]
    #[track_caller]
    pub fn outbox(mut self, outbox: impl Outbox) -> Self {
        let location = Location::caller();
        match &self.outbox {
            Some(first) => self.problems.push(BuildProblem::SecondOutbox { first: first.location, second: location }),
            None => self.outbox = Some(GivenOutbox { outbox: Arc::new(outbox), location }),
        }
        self
    }

    /// Publishes the events with `#[event(…, external)]` to other services by `bus`, as a `NatsBridge` of `mediator-nats`, too.
    ///
    /// The [outbox](Self::outbox) records them for it in the publisher's transaction, and its workers take them there. A program
    /// with such events needs a bus, and a mediator has one; but [`without_external`](Self::without_external) keeps them here.
    #[cfg(feature = "durable")]
    #[track_caller]
    pub fn external(mut self, bus: impl ExternalBus) -> Self {
        let second = Location::caller();
        match self.external {
            ExternalEvents::Published { location: first, .. } => {
                self.problems.push(BuildProblem::SecondExternalBus { first, second });
            }
            _ => self.external = ExternalEvents::Published { bus: Box::new(bus), location: second },
        }
        self
    }

    /// Lets events with `#[event(…, external)]` stay in this process: for tests, and for programs that publish none of them.
    ///
    /// So they do where not all handlers are discovered, unless there is a [bus](Self::external).
    #[cfg(feature = "durable")]
    pub fn without_external(mut self) -> Self {
        self.external = ExternalEvents::Stay;
        self
    }

    /// Lets external events stay here, unless there is a bus.
    fn allow_missing_bus(self) -> Self {
        #[cfg(feature = "durable")]
        if matches!(self.external, ExternalEvents::NeedBus) {
            return self.without_external();
        }
        self
    }

    /// Lets `R` be without a handler.
    ///
    /// Otherwise that is an error of [`build`](Self::build), for each request that [`#[request]`](macro@crate::request) declares
    /// in any crate of this program, as long as all handlers are discovered. Sending one fails then, with
    /// [`SendError::NoHandler`](crate::SendError::NoHandler).
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// #[request]
    /// struct Refund { order_id: u64 }
    ///
    /// assert!(Mediator::new().unwrap_err().to_string().contains("has no handler"));
    /// let mediator = Mediator::builder().allow_unhandled_request::<Refund>().build()?;
    /// let error = futures::executor::block_on(mediator.send(Refund { order_id: 1 })).unwrap_err();
    /// assert!(matches!(error, SendError::NoHandler { .. }));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn allow_unhandled_request<R: Request>(mut self) -> Self {
        if let UnhandledRequests::AllowedOf(requests) = &mut self.unhandled_requests {
            requests.insert(TypeId::of::<R>(), ());
        }
        self
    }

    /// Lets any request be without a handler; see [`allow_unhandled_request`](Self::allow_unhandled_request).
    pub fn allow_unhandled_requests(mut self) -> Self {
        self.unhandled_requests = UnhandledRequests::Allowed;
        self
    }

    /// Makes it an error of [`build`](Self::build) if nobody handles `E`.
    ///
    /// Without it, publishing such an event is no error and does nothing.
    #[track_caller]
    pub fn require_handler<E: Notification>(mut self) -> Self {
        self.required.push((EventInfo::of::<E>(), Location::caller()));
        self
    }

    /// Makes it an error of [`build`](Self::build) if nobody handles one of the events that
    /// the macros declare in any crate of this program.
    ///
    /// Generic events are known only by the concrete types that handlers name.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// #[event]
    /// struct OrderPlaced {}
    ///
    /// let error = Mediator::builder().without_discovery().require_handlers_for_all_events().build().unwrap_err();
    /// assert!(error.to_string().contains("OrderPlaced"));
    /// ```
    #[track_caller]
    pub fn require_handlers_for_all_events(mut self) -> Self {
        let required_at = Location::caller();
        self.required.extend(program::events().map(|event| (event, required_at)));
        self
    }

    /// Builds all handlers and freezes who handles what.
    ///
    /// # Errors
    ///
    /// When the wiring is wrong in any way, with every problem and its place in the code: services
    /// that are missing, handlers that are registered twice or wait for each other, events without
    /// a handler that is required, requests without a handler or with two.
    pub fn build(self) -> Result<Mediator, BuildError> {
        wiring::build(self)
    }
}

impl fmt::Debug for MediatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediatorBuilder")
            .field("discovered", &self.discovered.iter().map(|handler| handler.registration()).collect::<Vec<_>>())
            .field(
                "explicit",
                &self.explicit.iter().map(|bound| *bound.registration.registration()).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
