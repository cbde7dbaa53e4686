//! What was published and sent.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::tree;
use crate::event::id::EventId;
use crate::event::notification::Notification;
use crate::handler::info::HandlerInfo;
use crate::observe::Operation;
use crate::observe::records::{Entry, Log, Records, Status};
use crate::request::request::Request;

/// Everything that was published and sent through the mediators that were
/// [built with it](crate::MediatorBuilder::recorder), in the order in which that started.
///
/// That is every publish, of whatever type and by whatever handle: also of events that nobody handles, in a box, by handlers and
/// observers, and those that fail or are cancelled. The event itself is not copied: it moves into the recorder when its publish
/// ends. One that fails before any handler has started gives the event back with its error, as ever, so that the recorder knows
/// of the publish ([`Status::Refused`]) but has no event. Nothing is recorded of events behind the one that has failed in a
/// `publish_all`, nor of a publish by a weak handle whose mediator is gone.
///
/// Clones share what is recorded.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::Recorder;
///
/// #[event(name = "orders.placed")]
/// struct OrderPlaced { order_id: u64 }
///
/// #[event(name = "stock.reserved")]
/// struct StockReserved { order_id: u64 }
///
/// #[event_handler(manual, name = "stock")]
/// async fn reserve_stock(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
///     publisher.publish(StockReserved::new(event.order_id)).await
/// }
///
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().bind_fn(reserve_stock).recorder(&recorder).build()?;
/// futures::executor::block_on(mediator.publish(OrderPlaced::new(7)))?;
///
/// assert_eq!(recorder.published::<StockReserved>()[0].order_id, 7);
/// assert_eq!(recorder.to_string(), "\
/// event orders.placed #1: ok
/// └─ stock: ok
///    └─ event stock.reserved #2: ok
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Recorder {
    log: Arc<Log>,
}

impl Recorder {
    /// A recorder of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The events of type `E` whose publishes have ended, in the order in which these started.
    #[must_use]
    pub fn published<E: Notification>(&self) -> Vec<Arc<E>> {
        self.matching(|_: &E| true)
    }

    /// Those of them that `matches` accepts.
    ///
    /// ```
    /// # use mediator_core::prelude::*;
    /// # use mediator_core::testing::Recorder;
    /// # #[event] struct OrderPlaced { total: u32 }
    /// # let recorder = Recorder::new();
    /// let large = recorder.matching(|event: &OrderPlaced| event.total > 10_000);
    /// # assert!(large.is_empty());
    /// ```
    pub fn matching<E: Notification>(&self, mut matches: impl FnMut(&E) -> bool) -> Vec<Arc<E>> {
        let events = self.log.entries().into_iter().filter_map(|entry| entry.event::<E>());
        events.filter(|event| matches(event)).collect()
    }

    /// The requests of type `R` whose sends have ended, in the order in which these started.
    ///
    /// The answers belong to those who sent; what they are is in the [`tree`](Self::tree), and in the [`records`](Self::records).
    #[must_use]
    pub fn sent<R: Request>(&self) -> Vec<Arc<R>> {
        self.log.entries().into_iter().filter_map(|entry| entry.request::<R>()).collect()
    }

    /// Every publish, every send and every delivery to a durable handler, as far as it has got.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.log.entries().into_iter().map(Record::new).collect()
    }

    /// Everything as a tree: what was published or sent within a handler stands below that.
    ///
    /// The ids of events are numbers, in the order of their appearance, so that the tree of one test is the same each time.
    /// `Display` shows the same.
    #[must_use]
    pub fn tree(&self) -> String {
        tree::of(&self.log.entries(), 0)
    }

    /// For a mediator that is recorded.
    pub(super) fn records_of_mediator(&self) -> Records {
        Records::new(self.log.clone())
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.log.entries()
    }

    pub(super) fn len(&self) -> usize {
        self.log.len()
    }

    /// The first event behind `since` entries that matches and whose publish has ended; the task is woken when there is more.
    pub(super) fn poll_event<E: Notification>(
        &self,
        cx: &Context<'_>,
        since: usize,
        mut matches: impl FnMut(&E) -> bool,
    ) -> Poll<Arc<E>> {
        let ended = self.log.watch(cx).into_iter().skip(since).filter(|entry| entry.status != Status::Running);
        let found = ended.filter_map(|entry| entry.event::<E>()).find(|event| matches(event));
        found.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Entry {
    pub(super) fn event<E: Notification>(&self) -> Option<Arc<E>> {
        self.of(Operation::Publish)
    }

    fn request<R: Request>(&self) -> Option<Arc<R>> {
        self.of(Operation::Send)
    }

    fn of<M: Any + Send + Sync>(&self, operation: Operation) -> Option<Arc<M>> {
        self.message.clone().filter(|_| self.operation == operation)?.downcast().ok()
    }
}

/// As [`tree`](Recorder::tree).
impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tree())
    }
}

/// As [`tree`](Recorder::tree).
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One publish, send or delivery, as far as it had got when it was asked for; from [`Recorder::records`].
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::{Recorder, Status};
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler(manual)]
/// fn ship(_event: &OrderPlaced) -> Result<(), String> {
///     Err("out of boxes".into())
/// }
///
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().bind_fn(ship).recorder(&recorder).build()?;
/// futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
///
/// let records = recorder.records();
/// assert!(records[0].name().ends_with("::OrderPlaced"));
/// assert_eq!(*records[0].handlers()[0].status(), Status::Failed("out of boxes".into()));
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone)]
pub struct Record {
    entry: Entry,
    handlers: Vec<HandlerRecord>,
}

impl Record {
    fn new(entry: Entry) -> Self {
        let handlers =
            entry.handlers.iter().map(|(handler, status)| HandlerRecord { handler: *handler, status: status.clone() });
        Self { handlers: handlers.collect(), entry }
    }

    /// The name of the event or the request.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// The id of the event, if it has one.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.entry.id
    }

    /// Whether a request was sent.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.entry.operation == Operation::Send
    }

    /// Whether an event that was published before was delivered to a durable handler.
    #[must_use]
    pub fn is_delivery(&self) -> bool {
        self.entry.operation == Operation::Deliver
    }

    /// The event, if it is an `E` whose publish has ended.
    #[must_use]
    pub fn event<E: Notification>(&self) -> Option<Arc<E>> {
        self.entry.event()
    }

    /// The request, if it is an `R` whose send has ended.
    #[must_use]
    pub fn request<R: Request>(&self) -> Option<Arc<R>> {
        self.entry.request()
    }

    /// How it has ended.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.entry.status
    }

    /// What a request was answered, as its `Debug` says, if it has that; an error is in the [status](Self::status).
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    /// use mediator_core::testing::Recorder;
    ///
    /// #[request(Option<u32>)]
    /// struct PriceOf { item: String }
    ///
    /// #[request_handler(manual, name = "prices")]
    /// fn price_of(request: &PriceOf) -> Option<u32> {
    ///     (request.item == "tea").then_some(12)
    /// }
    ///
    /// let recorder = Recorder::new();
    /// let mediator = Mediator::builder().without_discovery().bind_fn(price_of).recorder(&recorder).build()?;
    /// futures::executor::block_on(mediator.send(PriceOf { item: "tea".into() }))?;
    ///
    /// assert_eq!(recorder.records()[0].answer(), Some("Some(12)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        self.entry.answer.as_deref()
    }

    /// The handlers, in the order of their calls.
    #[must_use]
    pub fn handlers(&self) -> &[HandlerRecord] {
        &self.handlers
    }

    /// Within what it was published or sent, and what a delivery was recorded by: the place of that among the
    /// [records](Recorder::records). `None` if it was by itself, as by an injected handle.
    #[must_use]
    pub fn cause(&self) -> Option<usize> {
        self.entry.cause.map(|cause| cause.entry)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("name", &self.name())
            .field("status", self.status())
            .field("answer", &self.answer())
            .field("handlers", &self.handlers)
            .field("cause", &self.cause())
            .finish_non_exhaustive()
    }
}

/// One handler of a publish or a send, and how far its call had got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerRecord {
    handler: HandlerInfo,
    status: Status,
}

impl HandlerRecord {
    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &HandlerInfo {
        &self.handler
    }

    /// How its call has ended.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }
}
