//! The handles through which events are published.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use crate::dispatch::{Publish, Table};
use crate::event_publisher::Strategy;
use crate::{
    BuildError, Deliveries, DynNotification, EventPublisher, MediatorBuilder, Notification, PublishError, Topology,
};

/// Knows the handlers of all events and publishes to them.
///
/// Cheap to clone; all clones share the handlers. When the last clone and the last [`Publisher`] from
/// [`publisher`](Self::publisher) are gone, the handlers are dropped. Handles that were injected into
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
pub struct Mediator {
    link: Link,
    /// Set when `build` is done.
    topology: Arc<OnceLock<Topology>>,
}

/// Publishes, and nothing else: what a module should be given.
///
/// Get one from [`Mediator::publisher`], which is as good as a clone of the mediator in all but what
/// it can do, or inject it like a service. What is injected, or [downgraded](Self::downgrade), never
/// keeps the mediator alive, so handlers may own it: once the last other handle is dropped, publishing
/// through it fails with an error that says so and [gives the event
/// back](PublishError::into_unpublished). While it publishes, the handlers stay; that costs two
/// atomic operations for each publish.
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
pub struct Publisher {
    link: Link,
}

/// What all handles of a mediator share.
pub(crate) struct Shared {
    pub(crate) table: Table,
    pub(crate) strategy: Strategy,
}

#[derive(Clone)]
pub(crate) enum Link {
    Owner(Arc<Shared>),
    /// Held by handlers, which `Shared` owns: an `Arc` here would never be freed.
    Member(Weak<Shared>),
}

impl Link {
    async fn publish_all(&self, events: Vec<Box<dyn DynNotification>>) -> Result<(), PublishError> {
        let mut events = events.into_iter();
        while let Some(event) = events.next() {
            let published = Publish::new(self, event).await;
            published.map_err(|error| error.with_unpublished(events.by_ref()))?;
        }
        Ok(())
    }

    async fn publish_with<E, P>(&self, strategy: &P, event: E) -> Result<(), PublishError>
    where
        E: Notification,
        P: EventPublisher,
    {
        let held;
        let shared = match self {
            Self::Owner(shared) => shared,
            Self::Member(shared) => match shared.upgrade() {
                Some(shared) => {
                    held = shared;
                    &held
                }
                None => return Err(PublishError::mediator_dropped(Box::new(event))),
            },
        };
        match shared.table.dispatch_of(&event) {
            Some(dispatch) => strategy.publish(Deliveries::new(dispatch)).await,
            None => Ok(()),
        }
    }
}

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

    pub(crate) fn owner(shared: Arc<Shared>, topology: Arc<OnceLock<Topology>>) -> Self {
        Self { link: Link::Owner(shared), topology }
    }

    pub(crate) fn member(shared: Weak<Shared>, topology: Arc<OnceLock<Topology>>) -> Self {
        Self { link: Link::Member(shared), topology }
    }

    /// Who handles what, in which order, and with which services.
    ///
    /// An injected `Mediator` knows it too, unless it is asked while handlers are still being
    /// built: then it is empty.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        static NOT_BUILT: Topology = Topology::empty();
        self.topology.get().unwrap_or(&NOT_BUILT)
    }

    /// A handle that can only publish, and keeps the handlers like this one.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher { link: self.link.clone() }
    }

    /// Calls every handler of `event`, as the mediator's strategy has it; `Ok` if there is none.
    ///
    /// Handlers may publish in turn; that is part of handling, and done when they are. Dropping
    /// the future cancels: running handlers are dropped at the `.await` they are waiting at,
    /// finished ones are not undone. Needs no particular executor.
    ///
    /// # Errors
    ///
    /// When a handler returns an error or panics. [`PublishError`] tells which, and what did not
    /// run.
    pub fn publish<E: Notification>(&self, event: E) -> Publish<'_, E> {
        Publish::new(&self.link, event)
    }

    /// [Publishes](Self::publish) events one after another, in order; also the way to publish a
    /// single boxed one.
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
        self.link.publish_all(events).await
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
    /// As `strategy` has it.
    pub async fn publish_with<P, E>(&self, strategy: &P, event: E) -> Result<(), PublishError>
    where
        P: EventPublisher,
        E: Notification,
    {
        self.link.publish_with(strategy, event).await
    }
}

impl Publisher {
    /// The same, but it does not keep the mediator alive, like one that is injected.
    ///
    /// For handlers that are bound ready-made and publish in turn: one that owned a `Publisher` as
    /// [`Mediator::publisher`] returns it would keep itself alive for good.
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
        let shared = match &self.link {
            Link::Owner(shared) => Arc::downgrade(shared),
            Link::Member(shared) => shared.clone(),
        };
        Self { link: Link::Member(shared) }
    }

    /// Calls every handler of `event`: [`Mediator::publish`].
    ///
    /// # Errors
    ///
    /// As there, and when this handle does not keep the mediator alive, and it was dropped.
    pub fn publish<E: Notification>(&self, event: E) -> Publish<'_, E> {
        Publish::new(&self.link, event)
    }

    /// Publishes events one after another, in order: [`Mediator::publish_all`].
    ///
    /// # Errors
    ///
    /// As there, and when this handle does not keep the mediator alive, and it was dropped.
    pub async fn publish_all(&self, events: Vec<Box<dyn DynNotification>>) -> Result<(), PublishError> {
        self.link.publish_all(events).await
    }

    /// Publishes with a strategy of this call's own: [`Mediator::publish_with`].
    ///
    /// # Errors
    ///
    /// As there, and when this handle does not keep the mediator alive, and it was dropped.
    pub async fn publish_with<P, E>(&self, strategy: &P, event: E) -> Result<(), PublishError>
    where
        P: EventPublisher,
        E: Notification,
    {
        self.link.publish_with(strategy, event).await
    }
}

impl fmt::Debug for Mediator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mediator").finish_non_exhaustive()
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}
