//! The macros work in every kind of crate: strict, of another edition, with the runtime by another name.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;

type Answers = Arc<Mutex<Vec<&'static str>>>;

fn answers_to<E: Event>(event: impl FnOnce(Answers) -> E) -> Vec<&'static str> {
    let answers = Answers::default();
    block_on(Mediator::new().unwrap().publish(event(answers.clone()))).unwrap();
    answers.lock().unwrap().clone()
}

#[test]
fn a_crate_may_forbid_whatever_it_likes() {
    let answers = answers_to(|answers| fixture_strict::Asked::new(answers, 7));
    assert_eq!(answers, ["struct", "impl", "fn", "plain fn", "borrows", "method", "observer"]);
    assert_eq!(fixture_strict::Asked::event_name(), "strict.asked");
}

#[test]
fn events_and_handlers_may_be_private() {
    let answers = Answers::default();
    block_on(fixture_strict::publish_unseen(&Mediator::new().unwrap(), answers.clone())).unwrap();
    assert_eq!(*answers.lock().unwrap(), ["unseen"]);
}

#[test]
fn a_crate_may_be_of_edition_2021() {
    assert_eq!(answers_to(fixture_edition_2021::Asked::new), ["struct", "impl", "fn", "method", "observer"]);
    block_on(Mediator::new().unwrap().publish(fixture_edition_2021::r#gen::new(0))).unwrap();
}

#[test]
fn a_crate_may_rename_the_runtime() {
    assert_eq!(answers_to(fixture_renamed::Asked::new), ["struct", "impl", "fn", "method", "observer"]);
}

#[test]
fn a_crate_may_know_the_runtime_from_another_crate_only() {
    assert_eq!(answers_to(fixture_behind_facade::Asked::new), ["struct", "impl", "fn", "method", "observer"]);
}
