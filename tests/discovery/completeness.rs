//! What is discovered, and what must be: `discover_where`, `require_handler` and its like.
#![allow(missing_docs)]

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, Registration};

#[event]
struct OrderPlaced {}

#[event(name = "orders.cancelled")]
struct OrderCancelled {}

#[event]
struct OrderShipped {}

struct CacheWarmed;

impl Notification for CacheWarmed {}

mod email {
    #[mediator_core::event_handler]
    async fn confirm(_event: &super::OrderPlaced) -> Result<(), String> {
        Err("email".into())
    }
}

mod stock {
    #[mediator_core::event_handler]
    async fn reserve(_event: &super::OrderPlaced) -> Result<(), String> {
        Err("stock".into())
    }

    #[mediator_core::event_handler(name = "stock.release")]
    async fn release(_event: &super::OrderCancelled) {}
}

fn called(keep: impl FnMut(&Registration) -> bool) -> Vec<String> {
    let mediator = Mediator::builder().discover_where(keep).event_publisher(GroupEventPublisher).build().unwrap();
    let Err(error) = block_on(mediator.publish(OrderPlaced::new())) else { return Vec::new() };
    error.failures().iter().map(|failure| failure.error().unwrap().to_string()).collect()
}

#[test]
fn discovery_is_restricted_by_crate_module_event_or_name() {
    assert_eq!(called(|_| true), ["email", "stock"]);
    assert_eq!(called(|handler| handler.crate_name() == "completeness"), ["email", "stock"]);
    assert!(called(|handler| handler.crate_name() == "billing").is_empty());
    assert_eq!(called(|handler| handler.module_path() == "completeness::stock"), ["stock"]);
    assert_eq!(called(|handler| handler.handler_name().ends_with("::confirm")), ["email"]);
    assert!(called(|handler| handler.event_name() == "orders.cancelled").is_empty());
}

#[test]
fn two_restrictions_both_hold() {
    let mediator = Mediator::builder()
        .discover_where(|handler| handler.module_path() == "completeness::stock")
        .discover_where(|handler| handler.module_path() == "completeness::email")
        .build()
        .unwrap();
    assert!(block_on(mediator.publish(OrderPlaced::new())).is_ok());
}

#[test]
fn a_required_handler_that_is_there_is_no_problem() {
    assert!(Mediator::builder().require_handler::<OrderPlaced>().build().is_ok());
}

#[test]
fn a_required_handler_that_is_missing_fails_the_build() {
    let error = Mediator::builder()
        .discover_where(|handler| handler.module_path() != "completeness::email")
        .require_handler::<OrderPlaced>()
        .require_handler::<OrderShipped>()
        .require_handler::<OrderShipped>()
        .require_handler::<CacheWarmed>()
        .build()
        .unwrap_err();
    insta::assert_snapshot!(error);
}

#[test]
fn all_events_can_be_required_to_have_handlers() {
    let error = Mediator::builder().require_handlers_for_all_events().build().unwrap_err();
    let events = error.problems().iter().map(|problem| match problem {
        BuildProblem::NoHandler { event, .. } => (event.name(), event.location().unwrap().file()),
        other => panic!("not about a missing handler: {other}"),
    });
    assert_eq!(events.collect::<Vec<_>>(), [("completeness::OrderShipped", file!())]);
}
