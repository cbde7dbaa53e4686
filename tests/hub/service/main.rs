//! The hub's service as GitHub, an operator and those who mean no good see it.

mod browser;
mod chromium;
mod client;
mod crashes;
mod hub;
mod input;
mod nats;
mod stopping;
#[path = "../../../mediator-nats/tests/support/mod.rs"]
mod support;
