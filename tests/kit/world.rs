//! Events, requests and handlers.

use mediator_core::prelude::*;
use mediator_core::testing::Recorder;
use mediator_core::{Deliveries, MediatorBuilder};
use mediator_tests::Gate;

#[event(name = "orders.placed")]
#[derive(Debug)]
pub(crate) struct OrderPlaced {
    pub(crate) order_id: String,
    pub(crate) total: u32,
}

#[event(name = "stock.reserved")]
#[derive(Debug, PartialEq)]
pub(crate) struct StockReserved {
    pub(crate) quantity: u32,
}

/// Nobody handles it; neither `Debug` nor `Clone`, and without an id.
#[derive(Notification)]
pub(crate) struct Counted(pub(crate) u32);

#[request(u32, error = anyhow::Error)]
pub(crate) struct PlaceOrder {
    pub(crate) order_id: String,
    pub(crate) total: u32,
}

#[request_handler(manual)]
pub(crate) async fn place_order(request: &PlaceOrder, publisher: &Publisher) -> anyhow::Result<u32> {
    anyhow::ensure!(request.total > 0, "an order of nothing");
    publisher.publish(placed(&request.order_id, request.total)).await?;
    Ok(request.total)
}

#[event_handler(manual, name = "stock")]
pub(crate) async fn reserve_stock(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(StockReserved::new(event.total)).await
}

#[event_handler(manual, name = "invoices")]
pub(crate) fn write_invoice(event: &OrderPlaced) -> anyhow::Result<()> {
    anyhow::ensure!(event.total < 1_000, "too large an order");
    Ok(())
}

#[event_handler(manual, name = "shelves")]
pub(crate) fn empty_shelf(event: &StockReserved) {
    assert!(event.quantity < 100, "out of boxes");
}

#[event_handler(manual, name = "gate")]
pub(crate) async fn wait_at_gate(_event: &OrderPlaced, gate: Gate) {
    let _ = gate.await;
}

/// A strategy of a user's own.
pub(crate) struct Backwards;

impl EventPublisher for Backwards {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter().collect::<Vec<_>>().into_iter().rev() {
            failures.extend(delivery.deliver().await.err());
        }
        deliveries.finish(failures)
    }
}

pub(crate) fn placed(order_id: &str, total: u32) -> OrderPlaced {
    OrderPlaced::new(order_id.to_owned(), total)
}

/// With a recorder and nothing else.
pub(crate) fn recorded(recorder: &Recorder) -> MediatorBuilder {
    Mediator::builder().without_discovery().recorder(recorder)
}

/// With the handlers of a shop.
pub(crate) fn shop(recorder: &Recorder) -> MediatorBuilder {
    recorded(recorder).bind_fn(place_order).bind_fn(reserve_stock).bind_fn(write_invoice).bind_fn(empty_shelf)
}
