//! Names that are given belong to one event, or to one handler of an event; default names may repeat.
#![allow(missing_docs)]

use mediator_core::BuildProblem;
use mediator_core::prelude::*;

#[event(name = "orders.placed")]
struct OrderPlaced {}

#[derive(Notification)]
#[notification(name = "orders.placed")]
struct OrderAccepted;

#[event(name = "orders.shipped")]
struct OrderShipped {}

#[event_handler(name = "mail")]
fn confirm(_event: &OrderPlaced) {}

#[event_handler(OrderPlaced, OrderShipped, name = "mail")]
struct Thank;

impl EventHandler<OrderPlaced> for Thank {
    async fn handle(&self, _event: &OrderPlaced) {}
}

impl EventHandler<OrderShipped> for Thank {
    async fn handle(&self, _event: &OrderShipped) {}
}

#[event_handler(name = "stock")]
fn reserve(_event: &OrderPlaced) {}

/// Named as one of another event, which is no clash.
#[event_handler(name = "stock")]
fn release(_event: &OrderShipped) {}

#[test]
fn every_clash_of_given_names_is_a_problem_with_both_places() {
    let error = Mediator::new().unwrap_err();
    insta::assert_snapshot!(error.to_string());
    let [BuildProblem::DuplicateEventName { first, second, .. }, BuildProblem::DuplicateHandlerName { .. }] =
        error.problems()
    else {
        panic!("{error:?}");
    };
    assert_eq!((first.name(), second.name()), ("orders.placed", "orders.placed"));
    assert!(first.type_name().ends_with("::OrderPlaced") && second.type_name().ends_with("::OrderAccepted"));
}

#[test]
fn events_clash_in_a_mediator_without_handlers_too() {
    let error = Mediator::builder().without_discovery().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateEventName { .. }]), "{error}");
}

fn one_test() -> &'static str {
    #[event]
    struct Placed {}

    #[event_handler]
    fn audit(_event: &Placed) {}

    #[event_handler]
    fn log(_event: &OrderShipped) {}

    Placed::event_name()
}

fn another_test() -> &'static str {
    #[event]
    struct Placed {}

    #[event_handler]
    fn audit(_event: &Placed) {}

    #[event_handler]
    fn log(_event: &OrderShipped) {}

    Placed::event_name()
}

#[test]
fn default_names_may_repeat() {
    assert_eq!((one_test(), another_test()), ("clashes::Placed", "clashes::Placed"));
    let error = Mediator::new().unwrap_err().to_string();
    assert!(!error.contains("clashes::Placed") && !error.contains("clashes::log"), "{error}");
}
