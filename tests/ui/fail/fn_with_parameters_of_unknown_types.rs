use std::sync::Arc;

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[request]
struct PlaceOrder;

#[event_handler]
async fn write_invoice(_event: &OrderPlaced, _orders: Arc<Ordres>, _tax: Taks, _mailer: Arc<dyn Mialer>) {}

#[request_handler]
async fn place_order(_request: &PlaceOrder, _orders: Arc<Ordres>) {}

fn main() {}
