//! The handles through which a mediator is used.

use std::any::TypeId;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::builder::MediatorBuilder;
#[cfg(feature = "durable")]
use super::durable;
use crate::dispatch::{Dispatch, Handle, Lend, Link, Publish, Publishable, Scope, Seen, Sending};
#[cfg(feature = "durable")]
use crate::durable::outbox::{Due, OutboxError};
use crate::errors::build_error::BuildError;
use crate::errors::publish_error::PublishError;
use crate::event::dynamic::DynNotification;
use crate::event::id::EventId;
use crate::request::request::Request;
use crate::strategy::deliveries::Deliveries;
use crate::strategy::event_publisher::EventPublisher;
use crate::topology::Topology;

/// Knows the handlers of all events and requests, publishes and sends to them.
///
/// Cheap to clone; all clones share the handlers. When the last clone, the last [`Publisher`] from
/// [`publisher`](Self::publisher) and the last [`Sender`] from [`sender`](Self::sender) are gone, the handlers are dropped. Handles that were injected into
/// handlers do not keep them, so handlers may own one and nothing leaks.
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct Greeted { name: String }
///
/// # futures::executor::block_on(async {
/// let mediator = Mediator::new().expect("all handlers find their services");
/// mediator.publish(Greeted::new("Ada".into())).await?;
/// # Ok::<(), PublishError>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Mediator {
    link: Link,
}

/// Publishes, and nothing else: what a module should be given.
///
/// A handle, like [`Mediator`], is strong or weak; [`is_weak`](Self::is_weak) tells:
///
/// | | keeps the handlers | a publish costs | where it comes from |
/// |---|---|---|---|
/// | strong | yes | nothing on top | [`Mediator::publisher`], and clones of it |
/// | weak | no, so handlers may own it and nothing leaks | two atomic operations | injection, [`downgrade`](Self::downgrade), and clones of what a publish lends |
///
/// Once the last strong handle is dropped, publishing through a weak one fails, says so, and [gives the event
/// back](PublishError::into_unpublished). A publish that has started keeps the handlers until it has ended.
///
/// A handler that takes a `&Publisher` is lent one by the publish that calls it, which makes its own publishes part of that one:
/// see [`Scope`].
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced { order_id: u64 }
///
/// struct Orders { publisher: Publisher }
///
/// impl Orders {
///     async fn place(&self, order_id: u64) -> Result<(), PublishError> {
///         self.publisher.publish(OrderPlaced::new(order_id)).await
///     }
/// }
///
/// let mediator = Mediator::builder().without_discovery().build()?;
/// let orders = Orders { publisher: mediator.publisher() };
/// futures::executor::block_on(orders.place(1))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Publisher {
    link: Link,
}

/// Sends requests, and nothing else: what a module should be given that only asks.
///
/// A handle like [`Publisher`], strong or weak as the table there says. A handler that takes a `&Sender` is lent one by the
/// publish or the send that calls it: what it sends can borrow what that lends, see [`Scope`].
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[request(u64)]
/// struct PlaceOrder { item: String }
///
/// #[request_handler]
/// async fn place_order(request: &PlaceOrder) -> u64 {
///     request.item.len() as u64
/// }
///
/// struct Checkout { sender: Sender }
///
/// impl Checkout {
///     async fn buy(&self, item: &str) -> Result<u64, SendError> {
///         self.sender.send(PlaceOrder { item: item.into() }).await
///     }
/// }
///
/// let mediator = Mediator::builder().without_discovery().bind_fn(place_order).build()?;
/// let checkout = Checkout { sender: mediator.sender() };
/// assert_eq!(futures::executor::block_on(checkout.buy("book"))?, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Sender {
    link: Link,
}

/// The types of the handles: the mediator provides them, and every publish and every send lends them.
pub(super) const HANDLES: [fn() -> TypeId; 3] = [TypeId::of::<Publisher>, TypeId::of::<Sender>, TypeId::of::<Mediator>];

/// Whether a `T` is a handle.
pub(super) fn is_handle<T: 'static>() -> bool {
    HANDLES.iter().any(|handle| handle() == TypeId::of::<T>())
}

// SAFETY: transparent over a `Link`.
#[allow(unsafe_code)]
unsafe impl Handle for Mediator {}
// SAFETY: transparent over a `Link`.
#[allow(unsafe_code)]
unsafe impl Handle for Publisher {}
// SAFETY: transparent over a `Link`.
#[allow(unsafe_code)]
unsafe impl Handle for Sender {}

// Handlers' panics are caught, and leave nothing of a mediator half-done.
impl UnwindSafe for Mediator {}
impl RefUnwindSafe for Mediator {}
impl UnwindSafe for Publisher {}
impl RefUnwindSafe for Publisher {}
impl UnwindSafe for Sender {}
impl RefUnwindSafe for Sender {}

/// What all handles can do.
macro_rules! lending {
    ($handle:ident) => {
        impl $handle {
            /// Whether this handle does not keep the handlers; see the table at [`Publisher`].
            #[must_use]
            pub fn is_weak(&self) -> bool {
                self.link.is_weak()
            }

            /// Lends a value to the handlers of what is published or sent next: `&T` where `T: Sync`, or `&mut T` where
            /// `T: Send`.
            ///
            /// See [`Scope`].
            #[inline]
            pub fn with<'s, L: Lend<'s>>(&'s self, value: L) -> Scope<'s, Self> {
                Scope::new(self, value)
            }
        }

        impl fmt::Debug for $handle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($handle)).field(&self.link).finish()
            }
        }
    };
}

lending!(Mediator);
lending!(Publisher);
lending!(Sender);

/// What all handles that send can do.
macro_rules! sending {
    ($handle:ident) => {
        impl $handle {
            /// Calls the handler of `request`, and returns its answer.
            ///
            /// Dropping the future cancels: the handler is dropped at the `.await` it is waiting at. Needs no particular
            /// executor.
            ///
            /// ```
            /// use mediator_core::prelude::*;
            ///
            /// #[request(u32)]
            /// struct Add { a: u32, b: u32 }
            ///
            /// #[request_handler]
            /// async fn add(request: &Add) -> u32 {
            ///     request.a + request.b
            /// }
            ///
            /// # futures::executor::block_on(async {
            /// let mediator = Mediator::builder().without_discovery().bind_fn(add).build()?;
            /// assert_eq!(mediator.send(Add { a: 1, b: 2 }).await?, 3);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// # }).unwrap();
            /// ```
            ///
            /// # Errors
            ///
            /// That of the handler. And a [`SendError`](crate::SendError), as what the request's error makes of it: when the
            /// handler panics, or borrows what is not lent; when there is none; or when this handle is weak and the mediator was
            /// dropped.
            #[inline]
            pub fn send<R: Request>(&self, request: R) -> Sending<'_, R, Result<R::Response, R::Error>> {
                Sending::new(&self.link, request)
            }
        }
    };
}

sending!(Mediator);
sending!(Sender);

/// What all handles that publish can do.
macro_rules! publishing {
    ($handle:ident) => {
        impl $handle {
            /// Calls every handler of `event`, by the strategy that the mediator has for it; `Ok` if there is none.
            ///
            /// Handlers may publish in turn; that is part of handling, and done when they are. Dropping
            /// the future cancels: running handlers are dropped at the `.await` they are waiting at,
            /// finished ones are not undone. Needs no particular executor.
            ///
            /// # Errors
            ///
            /// When a handler returns an error or panics: [`PublishError`] tells which, and what did not run. Before any handler has
            /// started, and giving the event back, when a handler borrows what is not lent, or when this handle is weak and the mediator
            /// was dropped.
            #[inline]
            pub fn publish<E: Publishable>(&self, event: E) -> Publish<'_, E> {
                Publish::new(&self.link, event)
            }

            /// [Publishes](Self::publish) events one after another, in order.
            ///
            /// ```
            /// # use mediator_core::prelude::*;
            /// # #[derive(Notification)] struct OrderPlaced;
            /// # async fn f(mediator: Mediator) -> Result<(), PublishError> {
            /// let mut events = PendingEvents::new();
            /// events.record(OrderPlaced);
            /// mediator.publish_all(events.drain()).await?;
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            ///
            /// When the publish of one event fails; the events behind it are not published, and
            /// [come back](PublishError::into_unpublished) with the error. When this future is dropped,
            /// events that were not published yet are dropped with it.
            pub async fn publish_all(&self, events: Vec<Box<dyn DynNotification>>) -> Result<(), PublishError> {
                publish_all(&self.link, events).await
            }

            /// [Publishes](Self::publish) with a strategy of this call's own.
            ///
            /// ```
            /// # use mediator_core::prelude::*;
            /// # #[derive(Notification)] struct OrderPlaced;
            /// # async fn f(mediator: Mediator) -> Result<(), PublishError> {
            /// mediator.publish_with(&GroupEventPublisher, OrderPlaced).await?;
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            ///
            /// What `strategy` reports, and before it is called as for [`publish`](Self::publish).
            pub async fn publish_with<P, E>(&self, strategy: &P, event: E) -> Result<(), PublishError>
            where
                P: EventPublisher,
                E: Publishable,
            {
                publish_with(&self.link, strategy, event).await
            }

            /// Records the durable deliveries of `event` that are due at a time, or after a while; ordinary handlers do not run for
            /// it.
            ///
            /// ```no_run
            /// use std::time::Duration;
            /// # use mediator_core::prelude::*;
            /// # #[derive(Notification)] struct PaymentDue;
            /// # struct Connection;
            /// # async fn f(mediator: Mediator, tx: &mut Connection, event: PaymentDue) -> Result<(), PublishError> {
            /// mediator.with(&mut *tx).schedule(event, Duration::from_secs(14 * 24 * 3600)).await?;
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            ///
            /// When nothing could be recorded, or no durable handler of the event is known; the event comes back.
            #[cfg(feature = "durable")]
            pub async fn schedule<E: Publishable>(
                &self,
                event: E,
                due: impl Into<Due> + Send,
            ) -> Result<(), PublishError> {
                let scheduled = durable::schedule(&self.link, event.event(), due.into()).await;
                scheduled.map_err(|error| error.with_unpublished([event.into_box()]))
            }

            /// Takes back what was [scheduled](Self::schedule): deletes the deliveries of the event that nobody has started, and
            /// returns how many those were.
            ///
            /// # Errors
            ///
            /// When the outbox cannot do it.
            #[cfg(feature = "durable")]
            pub async fn unschedule(&self, event: EventId) -> Result<u64, OutboxError> {
                durable::unschedule(&self.link, event).await
            }

            /// The event that is being handled, if a publish lends this handle; where a request is being handled, the event
            /// whose handler sent it.
            ///
            /// ```
            /// use mediator_core::prelude::*;
            ///
            /// #[event]
            /// struct OrderPlaced {}
            ///
            /// #[event]
            /// struct StockReserved {}
            ///
            /// #[event_handler(manual)]
            /// async fn reserve(_event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
            ///     publisher.publish(StockReserved::new()).await
            /// }
            ///
            /// #[event_handler(manual)]
            /// fn trace(_event: &StockReserved, publisher: &Publisher) {
            ///     assert!(publisher.cause().unwrap().downcast_ref::<StockReserved>().is_some());
            ///     println!("part of {}", publisher.correlation_id().unwrap());
            /// }
            ///
            /// let mediator = Mediator::builder().without_discovery().bind_fn(reserve).bind_fn(trace).build()?;
            /// futures::executor::block_on(mediator.publish(OrderPlaced::new()))?;
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn cause(&self) -> Option<&dyn DynNotification> {
                self.link.running().and_then(|running| running.cause())
            }

            /// The id of the outermost event that is being handled while this handle is lent; `None` if there is none, or if
            /// that event has no id. Requests have no id.
            #[must_use]
            pub fn correlation_id(&self) -> Option<EventId> {
                self.link.running().and_then(|running| running.correlation_id())
            }
        }
    };
}

publishing!(Mediator);
publishing!(Publisher);

impl Mediator {
    /// A mediator with all handlers that are linked into this program and no services.
    ///
    /// # Errors
    ///
    /// See [`MediatorBuilder::build`].
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Starts a mediator that has services, explicit handlers or another strategy.
    pub fn builder() -> MediatorBuilder {
        MediatorBuilder::new()
    }

    pub(super) fn of(link: Link) -> Self {
        Self { link }
    }

    /// Who handles what, in which order, and with which services.
    ///
    /// An injected `Mediator` knows it too, unless it is asked while handlers are still being
    /// built: then it is empty.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        static NOT_BUILT: Topology = Topology::empty();
        self.link.weak_core().topology.get().map_or(&NOT_BUILT, |topology| topology)
    }

    /// A strong handle, which keeps the handlers; `None` if this one is weak and they are gone, or not built yet.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// let mediator = Mediator::builder().without_discovery().build()?;
    /// assert!(!mediator.upgrade().unwrap().is_weak());
    /// # Ok::<(), BuildError>(())
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Self> {
        self.link.upgrade().map(|core| Self::of(Link::strong(core)))
    }

    /// A handle that can only publish, and keeps the handlers if this one does.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher { link: self.link.clone() }
    }

    /// A handle that can only send requests, and keeps the handlers if this one does.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender { link: self.link.clone() }
    }
}

impl Publisher {
    /// A weak handle, like one that is injected.
    ///
    /// For handlers that are bound ready-made and publish in turn: one that owned a `Publisher` as
    /// [`Mediator::publisher`] returns it would keep itself alive forever.
    ///
    /// ```
    /// use std::sync::{Arc, OnceLock};
    /// use mediator_core::prelude::*;
    ///
    /// # #[event] struct OrderPlaced {}
    /// # #[event] struct StockReserved {}
    /// struct ReserveStock { publisher: Arc<OnceLock<Publisher>> }
    ///
    /// impl EventHandler<OrderPlaced> for ReserveStock {
    ///     async fn handle(&self, _event: &OrderPlaced) -> Result<(), PublishError> {
    ///         self.publisher.get().expect("set once built").publish(StockReserved::new()).await
    ///     }
    /// }
    ///
    /// let publisher = Arc::new(OnceLock::new());
    /// let reserve_stock = ReserveStock { publisher: publisher.clone() };
    /// let mediator = Mediator::builder().bind_handler::<OrderPlaced, _>(reserve_stock).build()?;
    /// let _ = publisher.set(mediator.publisher().downgrade());
    /// futures::executor::block_on(mediator.publish(OrderPlaced::new())).unwrap();
    /// # Ok::<(), BuildError>(())
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> Self {
        Self { link: Link::weak(self.link.weak_core().clone()) }
    }
}

impl Sender {
    /// A weak handle, like one that is injected; see [`Publisher::downgrade`].
    #[must_use]
    pub fn downgrade(&self) -> Self {
        Self { link: Link::weak(self.link.weak_core().clone()) }
    }
}

async fn publish_all(link: &Link, events: Vec<Box<dyn DynNotification>>) -> Result<(), PublishError> {
    let mut events = events.into_iter();
    while let Some(event) = events.next() {
        let published = Publish::new(link, event).await;
        published.map_err(|error| error.with_unpublished(events.by_ref()))?;
    }
    Ok(())
}

async fn publish_with<E, P>(link: &Link, strategy: &P, event: E) -> Result<(), PublishError>
where
    E: Publishable,
    P: EventPublisher,
{
    let Some(core) = link.reach() else {
        return Err(PublishError::mediator_dropped(event.event()).with_unpublished([event.into_box()]));
    };
    let core = &*core;
    let seen = if core.watch.is_on() { Seen::of_publish(core, link, event.event()) } else { None };
    let event = Seen::keeping(&seen, event);
    let publish = async {
        let Some(dispatch) = Dispatch::find(core, event.event(), link.lender(), strategy.is_concurrent(), &seen) else {
            return Ok(());
        };
        if let Err(error) = dispatch.check_borrows() {
            return Err(error.with_unpublished([event.into_box()]));
        }
        #[cfg(feature = "durable")]
        if let Some(recorder) = dispatch.recorder() {
            let published = recorder.run_first(&dispatch, || strategy.publish(Deliveries::new(&dispatch))).await;
            return published.map_err(|error| match error.is_refusal() {
                true => error.with_unpublished([event.into_box()]),
                false => error,
            });
        }
        strategy.publish(Deliveries::new(&dispatch)).await
    };
    Seen::around(&seen, publish).await
}
