use std::cell::RefCell;
use std::sync::Arc;

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[request]
struct PlaceOrder;

trait Mailer {
    fn send(&self) {}
}

async fn wait() {}

#[event_handler]
async fn write_mail(_event: &OrderPlaced, mailer: Arc<dyn Mailer>) {
    wait().await;
    mailer.send();
}

#[event_handler]
async fn fill_cache(_event: &OrderPlaced, _cache: Arc<RefCell<u8>>) {}

#[request_handler]
fn place_order(_request: &PlaceOrder, mailer: Arc<dyn Mailer>) {
    mailer.send();
}

fn main() {}
