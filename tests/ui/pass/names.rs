//! A function that is a handler leaves its name to modules, imports and crates.
#![deny(warnings)]

use mediator_core::prelude::*;

#[event]
pub struct Placed {}

mod audit {
    pub fn write(_text: &str) {}
}

#[event_handler]
async fn audit(_event: &Placed) {
    audit::write("x");
}

mod infra {
    pub mod mailer {
        pub fn send() {}
    }
}

use infra::mailer;

#[event_handler]
async fn mailer(_event: &Placed) {
    mailer::send();
}

#[event_handler]
async fn serde(_event: &Placed) {}

#[derive(serde::Serialize)]
pub struct Elsewhere {
    pub text: u8,
}

#[event_handler]
async fn futures(_event: &Placed) {
    futures::future::ready(()).await;
}

fn main() {
    let _ = Mediator::builder().without_discovery().bind_fn(audit).bind_fn(mailer).bind_fn(serde).bind_fn(futures);
}
