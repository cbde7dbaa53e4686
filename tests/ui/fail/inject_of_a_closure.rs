use mediator_core::prelude::*;
use mediator_core::service;
use std::sync::Arc;

#[event]
struct OrderPlaced;

#[request]
struct Tidy;

#[event_handler]
async fn once(_event: &OrderPlaced, _callback: Box<dyn FnOnce()>) {}

#[event_handler]
fn in_a_box(_event: &OrderPlaced, _callback: Option<Box<dyn Fn(u8) -> u8 + Send + Sync>>) {}

#[event_handler]
async fn not_shared(_event: &OrderPlaced, _callback: std::sync::Arc<dyn Fn()>) {}

#[event_handler]
async fn not_sync(_event: &OrderPlaced, _callback: Arc<dyn Fn() + Send>) {}

#[event_handler]
async fn shared(_event: &OrderPlaced, _callback: Arc<dyn Fn() + Send + Sync>) {}

#[request_handler]
async fn tidy(_request: &Tidy, _callback: Box<dyn FnMut()>) {}

#[derive(Inject)]
struct Fields {
    boxed: Box<dyn FnOnce() + Send + Sync>,
    #[inject(with = Box::new(|| ()))]
    filled: Box<dyn FnOnce() + Send + Sync>,
}

#[service]
struct Service(Arc<dyn Fn()>);

#[service]
fn number(_callback: Box<dyn Fn() + Send>) -> u8 {
    1
}

fn main() {}
