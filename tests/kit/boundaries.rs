//! Which modules handle whose events.

use std::error::Error;

use fixture_behind_facade as _;
use fixture_billing as _;
use fixture_events::Journal;
use mediator_core::Topology;
use mediator_core::prelude::*;

/// The events of one crate and the handlers of two.
fn topology() -> Topology {
    let modules = ["fixture_events", "fixture_billing", "fixture_behind_facade"];
    let builder = Mediator::builder().discover_where(|it| modules.contains(&it.crate_name()));
    builder.provide(Journal::default()).build().unwrap().topology().clone()
}

#[test]
fn a_module_may_handle_events_of_those_it_is_allowed() -> Result<(), Box<dyn Error>> {
    let topology = topology();
    topology.module("fixture_billing").handles_only_events_of(["fixture_events"])?;
    topology.module("fixture-billing").handles_only_events_of(["other", "fixture-events"])?;
    Ok(())
}

#[test]
fn a_module_may_handle_its_own_events_and_none_at_all() {
    let topology = topology();
    topology.module("fixture_events").handles_only_events_of([]).unwrap();
}

#[test]
fn a_handler_of_a_foreign_event_is_told_with_both_places() {
    let error = topology().module("fixture_billing").handles_only_events_of(["warehouse"]).unwrap_err();
    assert!(error.handlers().iter().all(|(handler, event)| {
        handler.crate_name() == "fixture_billing" && event.crate_name() == "fixture_events"
    }));
    insta::assert_snapshot!(error.to_string().replace('\\', "/"), @r"
    module `fixture_billing` may handle events of its own and of `warehouse` only, but:
    - `fixture_billing::fraud::check` (tests/fixtures/linked/billing/src/lib.rs:27:5) handles `fixture_events::OrderPlaced` (tests/fixtures/linked/events/src/lib.rs:6:1)
    - `fixture_billing::invoices::writing::WriteInvoice` (tests/fixtures/linked/billing/src/lib.rs:8:9) handles `fixture_events::OrderPlaced` (tests/fixtures/linked/events/src/lib.rs:6:1)
    ");
}

#[test]
fn a_module_that_is_misspelled_is_told() {
    let error = topology().module("biling").handles_only_events_of(["fixture_events"]).unwrap_err();
    assert!(error.handlers().is_empty());
    assert!(error.to_string().starts_with("no module `biling` is linked"), "{error}");
}

#[test]
fn observers_do_not_count() {
    #[event_handler(manual)]
    fn observe(_event: &dyn DynNotification) {}

    let mediator = Mediator::builder().without_discovery().bind_fn(observe).build().unwrap();
    mediator.topology().module("kit").handles_only_events_of([]).unwrap();
}
