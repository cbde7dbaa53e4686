//! Events and handlers that do nothing.

use anyhow::Result;
use mediator_core::prelude::*;
use mediator_core::{EventId, Mediator, MediatorBuilder};
use mediator_outbox::Outbox;
use mediator_outbox::store::Store;
use serde::{Deserialize, Serialize};

/// The name of the event.
pub const EVENT: &str = "bench.placed";

/// The name of the first handler.
pub const HANDLER: &str = "bench.first";

#[event(name = "bench.placed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct Placed {
    pub text: String,
}

impl Placed {
    /// About 200 bytes of JSON.
    pub fn some() -> Self {
        Self::new("x".repeat(140))
    }
}

#[event_handler(durable, manual, name = "bench.first")]
pub async fn first(_event: &Placed) {}

#[event_handler(durable, manual, name = "bench.second")]
pub async fn second(_event: &Placed) {}

#[event_handler(durable, manual, name = "bench.third")]
pub async fn third(_event: &Placed) {}

#[event_handler(durable, manual, name = "bench.fourth")]
pub async fn fourth(_event: &Placed) {}

#[event_handler(durable, manual, name = "bench.fifth")]
pub async fn fifth(_event: &Placed) {}

/// What is done by hand with events.
pub async fn ignore(events: Vec<(EventId, String)>) -> Result<()> {
    std::hint::black_box(events);
    Ok(())
}

pub fn builder<S: Store>(outbox: &Outbox<S>) -> MediatorBuilder {
    Mediator::builder().without_discovery().outbox(outbox.clone())
}

pub fn one_handler<S: Store>(outbox: &Outbox<S>) -> Mediator {
    builder(outbox).bind_fn(first).build().expect("wired")
}

pub fn five_handlers<S: Store>(outbox: &Outbox<S>) -> Mediator {
    let builder = builder(outbox).bind_fn(first).bind_fn(second).bind_fn(third).bind_fn(fourth).bind_fn(fifth);
    builder.build().expect("wired")
}
