//! What a mediator does with the handlers that a test chooses.
//!
//! Every mediator here says which handlers it has: it is built `without_discovery`, or `discover_where` picks them.
//! Tests of mediators with all the handlers that are linked are in `discovery`.
#![allow(missing_docs)]

mod behavior_model;
mod behaviors;
mod declared_order;
mod drops;
mod error_texts;
mod event_ids;
pub mod events; // With events that are `pub`.
mod handlers;
mod injection;
mod instances;
mod lending;
mod lending_model;
mod methods;
mod models;
mod module_services;
mod nesting;
mod observers;
mod odd_types;
mod panics;
mod pictures;
mod requests;
mod retries;
mod service_handlers;
mod strategies;
mod wakers;
