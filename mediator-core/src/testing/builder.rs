//! What a test tells the builder.

use super::recorder::Recorder;
use super::stand_in::Failing;
use crate::handler::error::BoxError;
use crate::handler::event_handler::EventHandler;
use crate::mediator::builder::MediatorBuilder;
use crate::mediator::kit::StandIn;
use crate::registry::handled::Handled;
use crate::registry::registration::ReadyMade;

/// With the feature `testing`.
impl MediatorBuilder {
    /// Records everything that is published and sent through the mediator.
    ///
    /// See [`Recorder`]. One recorder can serve several mediators; of several recorders, the last one is told.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.kit.records = recorder.records_of_mediator();
        self
    }

    /// Calls no handler of an event: what is published is [recorded](Self::recorder), and that is all.
    ///
    /// For a test of code that publishes. Handlers of events, observers too, are not built, so that nothing they need has to be
    /// provided. Those of requests remain: a send has to be answered.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    /// use mediator_core::testing::{Recorder, assert_published_once};
    ///
    /// #[event]
    /// struct OrderPlaced { item: String }
    ///
    /// #[event_handler]
    /// fn charge(_event: &OrderPlaced) { unreachable!("is not called") }
    ///
    /// #[request(error = anyhow::Error)]
    /// struct PlaceOrder { item: String }
    ///
    /// #[request_handler]
    /// async fn place_order(request: &PlaceOrder, publisher: &Publisher) -> anyhow::Result<()> {
    ///     publisher.publish(OrderPlaced::new(request.item.clone())).await?;
    ///     Ok(())
    /// }
    ///
    /// let recorder = Recorder::new();
    /// let mediator = Mediator::builder().recorder(&recorder).record_only().build()?;
    /// futures::executor::block_on(mediator.send(PlaceOrder { item: "book".into() }))?;
    /// assert_published_once!(recorder, OrderPlaced { item, .. } if item == "book");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn record_only(mut self) -> Self {
        self.kit.is_record_only = true;
        self
    }

    /// Has the publish call durable handlers like others: for a unit test without an outbox.
    ///
    /// What they borrow is lent by the publish then, except the `&DeliveryInfo` of a first attempt. They are not tried again, and one
    /// that fails fails the publish; whether the handlers behind it run is up to the strategy, as ever. Deliveries are independent of
    /// each other: where a test is about that, give it an outbox, or
    /// `.event_publisher(`[`BestEffortEventPublisher`](crate::BestEffortEventPublisher)`)`.
    ///
    /// ```standalone_crate
    /// use mediator_core::durable::DeliveryInfo;
    /// use mediator_core::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[event(name = "orders.placed")]
    /// #[derive(Serialize, Deserialize)]
    /// struct OrderPlaced {}
    ///
    /// struct Invoices(Vec<String>);
    ///
    /// #[event_handler(durable, manual, name = "billing.invoice")]
    /// async fn write_invoice(_event: &OrderPlaced, invoices: &mut Invoices, delivery: &DeliveryInfo) {
    ///     invoices.0.push(delivery.idempotency_key().to_owned());
    /// }
    ///
    /// let mediator = Mediator::builder().without_discovery().bind_fn(write_invoice).durable_inline().build()?;
    /// let mut invoices = Invoices(Vec::new());
    /// futures::executor::block_on(mediator.with(&mut invoices).publish(OrderPlaced::new()))?;
    /// assert!(invoices.0[0].ends_with("/billing.invoice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "durable")]
    pub fn durable_inline(mut self) -> Self {
        self.kit.is_durable_inline = true;
        self
    }

    /// Puts a stand-in, a handler or a closure, in the place of the handler `H` of `E`.
    ///
    /// It keeps the name of `H` and its place in the order; behaviors and the handler's own options are around it as they were.
    /// What only `H` needs, the test need not provide. An observer is replaced for `dyn DynNotification`. A function or a method
    /// is replaced by [`replace_fn`](Self::replace_fn).
    ///
    /// ```standalone_crate
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use mediator_core::prelude::*;
    /// # struct SmtpServer;
    ///
    /// #[event]
    /// struct OrderPlaced { order_id: u64 }
    ///
    /// #[event_handler(OrderPlaced)]
    /// struct SendEmail { server: Arc<SmtpServer> }
    ///
    /// impl EventHandler<OrderPlaced> for SendEmail {
    ///     async fn handle(&self, _event: &OrderPlaced) { /* … */ }
    /// }
    ///
    /// let sent = Arc::new(AtomicUsize::new(0));
    /// let count = sent.clone();
    /// let mediator = Mediator::builder()
    ///     .replace::<OrderPlaced, SendEmail>(move |_event: &OrderPlaced| { count.fetch_add(1, Ordering::Relaxed); })
    ///     .build()?;
    /// futures::executor::block_on(mediator.publish(OrderPlaced::new(7)))?;
    /// assert_eq!(sent.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// If nobody registered `H` for `E`, that is an error of [`build`](Self::build), at the place of this call.
    #[track_caller]
    pub fn replace<E: Handled + ?Sized, H: EventHandler<E>>(mut self, stand_in: impl EventHandler<E>) -> Self {
        self.kit.stand_ins.push(StandIn::of::<H>(ReadyMade::new::<E, _>(stand_in)));
        self
    }

    /// The same for a function or a method that `#[event_handler]` stands on.
    ///
    /// ```standalone_crate
    /// use mediator_core::prelude::*;
    ///
    /// #[event]
    /// struct OrderPlaced {}
    ///
    /// #[event_handler]
    /// async fn write_invoice(_event: &OrderPlaced) -> std::io::Result<()> { unreachable!("is replaced") }
    ///
    /// let mediator = Mediator::builder()
    ///     .replace_fn::<OrderPlaced>(write_invoice, |_event: &OrderPlaced| Err("out of paper"))
    ///     .build()?;
    /// let error = futures::executor::block_on(mediator.publish(OrderPlaced::new())).unwrap_err();
    /// assert!(error.failures()[0].handler_name().ends_with("::write_invoice"));
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn replace_fn<E: Handled + ?Sized>(
        mut self,
        function: impl Copy + 'static,
        stand_in: impl EventHandler<E>,
    ) -> Self {
        self.kit.stand_ins.push(of_function(function, ReadyMade::new::<E, _>(stand_in)));
        self
    }

    /// Lets the handler `H` of `E` fail with this error each time, instead of being called.
    ///
    /// [`PublishError::downcast_ref`](crate::PublishError::downcast_ref) finds the error by its type.
    ///
    /// ```standalone_crate
    /// use std::io;
    /// use mediator_core::prelude::*;
    ///
    /// # #[derive(Notification)] struct OrderPlaced;
    /// #[event_handler(OrderPlaced)]
    /// struct ReserveStock;
    ///
    /// impl EventHandler<OrderPlaced> for ReserveStock {
    ///     async fn handle(&self, _event: &OrderPlaced) {}
    /// }
    ///
    /// let mediator = Mediator::builder()
    ///     .failing::<OrderPlaced, ReserveStock>(io::Error::other("the warehouse is closed"))
    ///     .build()?;
    /// let error = futures::executor::block_on(mediator.publish(OrderPlaced)).unwrap_err();
    /// assert_eq!(error.downcast_ref::<io::Error>().unwrap().to_string(), "the warehouse is closed");
    /// # Ok::<(), BuildError>(())
    /// ```
    #[track_caller]
    pub fn failing<E: Handled + ?Sized, H: EventHandler<E>>(self, error: impl Into<BoxError>) -> Self {
        self.replace::<E, H>(Failing::new(error))
    }
}

/// Of the handler that this function is.
#[track_caller]
fn of_function<F: Copy + 'static>(_function: F, stand_in: ReadyMade) -> StandIn {
    StandIn::of::<F>(stand_in)
}
