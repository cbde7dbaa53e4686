//! Handlers of other crates find their way into a mediator, in one order in every build profile.
#![allow(missing_docs)]

// Nothing of these crates is used, nor could be: they export nothing. To name them links them.
use fixture_analytics as _;
use fixture_billing as _;
use fixture_shipping as _;
// `fixture-forgotten` is a dependency as well, and named nowhere.

use fixture_events::{Journal, OrderPlaced};
use futures::executor::block_on;
use mediator_core::BuildProblem;
use mediator_core::prelude::*;
use mediator_tests::place;

/// A handler of the application itself.
#[event_handler]
async fn registered_here(_event: &OrderPlaced, journal: Journal) {
    journal.note("registration: the program itself");
}

/// By `order`, then crate, file and line, whatever the linker did.
const IN_ORDER: [&str; 9] = [
    "billing: fraud check",
    "analytics: count",
    "analytics: sum",
    "billing: invoice",
    "shipping: a_packing, first",
    "shipping: a_packing, second",
    "shipping: z_labels",
    "registration: the program itself",
    "shipping: hand over",
];

#[test]
fn handlers_of_all_linked_crates_are_called_in_one_order() {
    let journal = Journal::default();
    let mediator = Mediator::builder().provide(journal.clone()).build().unwrap();
    block_on(mediator.publish(OrderPlaced::new(1))).unwrap();
    assert_eq!(journal.lines(), IN_ORDER);
}

/// The documented pitfall: rustc leaves out a crate that no code names, and its handlers with it. If this ever fails,
/// rustc has changed and the advice to write `use the_crate as _;` is out of date.
#[test]
fn a_dependency_that_is_listed_and_never_named_is_not_there() {
    let journal = Journal::default();
    let mediator = Mediator::builder().provide(journal.clone()).build().unwrap();
    block_on(mediator.publish(OrderPlaced::new(1))).unwrap();
    assert!(journal.lines().iter().all(|line| !line.starts_with("forgotten")), "{:?}", journal.lines());
}

#[test]
fn what_is_missing_in_other_crates_is_reported_with_places_in_their_files() {
    let error = Mediator::new().unwrap_err();
    let handlers: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| match problem {
            BuildProblem::MissingService { handler, field: Some("journal"), .. } => handler,
            other => panic!("unexpected: {other}"),
        })
        .collect();
    let names: Vec<_> = handlers.iter().map(|handler| handler.name()).collect();
    assert_eq!(
        names,
        [
            "fixture_billing::fraud::check",
            "fixture_analytics::CountOrders",
            "fixture_analytics::sum_up",
            "fixture_billing::invoices::writing::WriteInvoice",
            "fixture_shipping::a_packing::pack",
            "fixture_shipping::a_packing::book_carrier",
            "fixture_shipping::z_labels::print_label",
            "registration::registered_here",
            "fixture_shipping::z_labels::hand_over",
        ]
    );
    let files: Vec<_> = handlers.iter().map(|handler| place(handler.location()).0).collect();
    assert_eq!(files[3..7], ["lib.rs", "a_packing.rs", "a_packing.rs", "z_labels.rs"]);
}
