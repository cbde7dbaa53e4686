//! Looks at every state that the model can reach.

use outbox_model::{Delivery, Flaw, Kind, Outbox, State};
use stateright::{Checker, HasDiscoveries, Model};

const FIRST: Delivery = Delivery { key: Some('k'), kind: Kind::EffectivelyOnce };
const SECOND: Delivery = Delivery { key: Some('k'), kind: Kind::AtLeastOnce };
const THIRD: Delivery = Delivery { key: Some('k'), kind: Kind::EffectivelyOnce };
const OTHER: Delivery = Delivery { key: None, kind: Kind::EffectivelyOnce };
const KILLER: Delivery = Delivery { key: None, kind: Kind::Killer };
const NEIGHBOUR: Delivery = Delivery { key: None, kind: Kind::AtLeastOnce };

/// Workers that crash and are stopped at any moment.
fn unreliable(deliveries: &[Delivery], limit: u8) -> Outbox {
    Outbox {
        deliveries: deliveries.to_vec(),
        limit,
        skips_dead: false,
        is_operated: true,
        is_unreliable: true,
        flaw: None,
    }
}

/// Workers that live until they are killed.
fn killed() -> Outbox {
    Outbox { is_unreliable: false, is_operated: false, ..unreliable(&[KILLER, NEIGHBOUR, NEIGHBOUR], 2) }
}

/// Looks at all states.
fn check(outbox: Outbox) {
    let what = format!("{outbox:?}");
    let checker = outbox.checker().threads(2).symmetry_fn(State::representative).spawn_dfs().join();
    checker.assert_properties();
    println!("{} states, up to {} steps: {what}", checker.unique_state_count(), checker.max_depth());
}

/// Something is left out of the outbox, and there is a way to where this property does not hold.
fn breaks(property: &'static str, flaw: Flaw, outbox: Outbox) {
    let broken = Outbox { flaw: Some(flaw), ..outbox };
    let wanted = HasDiscoveries::AllOf([property].into());
    let checker = broken.checker().finish_when(wanted).spawn_bfs().join();
    println!("{flaw:?}: {:?}", checker.assert_any_discovery(property).into_actions());
}

#[test]
fn two_of_a_key_and_another() {
    check(unreliable(&[FIRST, SECOND, OTHER], 1));
}

/// Three million states, in a minute of a release build.
#[test]
#[ignore = "takes minutes; `cargo test --release -p outbox-model -- --ignored`"]
fn two_of_a_key_and_another_with_two_attempts() {
    check(unreliable(&[FIRST, SECOND, OTHER], 2));
}

#[test]
fn three_of_a_key_with_two_attempts() {
    check(unreliable(&[FIRST, SECOND, THIRD], 2));
}

#[test]
fn a_dead_one_lets_its_key_go_on() {
    check(Outbox { skips_dead: true, ..unreliable(&[FIRST, SECOND], 1) });
}

#[test]
fn a_delivery_that_kills_its_process_takes_no_neighbour_along() {
    check(killed());
}

#[test]
fn without_the_fence_deliveries_are_completed_twice() {
    breaks("nothing is completed twice", Flaw::NoFence, unreliable(&[NEIGHBOUR], 2));
    let property = "the effect of an effectively-once handler is there once, if it is done";
    breaks(property, Flaw::NoFence, unreliable(&[OTHER], 2));
}

#[test]
fn attempts_are_no_fence() {
    breaks("an older lease ends nothing", Flaw::FencedByAttempts, unreliable(&[OTHER], 2));
}

#[test]
fn losses_that_are_forgotten_cost_neighbours_their_attempts() {
    breaks("a killer costs each neighbour one attempt at most", Flaw::GivingBackForgetsLosses, killed());
}

#[test]
fn lost_ones_beside_others_cost_these_their_attempts() {
    breaks("a killer costs each neighbour one attempt at most", Flaw::LostOnesRunBesideOthers, killed());
}

#[test]
fn a_key_that_is_not_released_is_stuck() {
    let two = || unreliable(&[FIRST, SECOND], 1);
    breaks("what waits has an unfinished one in front", Flaw::NobodyIsReleased, two());
    breaks("nothing is lost: a worker that lives ends everything", Flaw::NobodyIsReleased, two());
}

#[test]
fn a_claim_that_does_not_look_in_front_breaks_the_order() {
    let property = "no effect comes before an earlier one of its key is finished";
    breaks(property, Flaw::ClaimsAnyOfAKey, unreliable(&[FIRST, SECOND], 1));
}

#[test]
fn crashes_that_cost_no_attempt_go_on_for_ever() {
    let property = "nothing is lost: a worker that lives ends everything";
    breaks(property, Flaw::CrashesCostNoAttempt, killed());
}

#[test]
fn what_has_used_up_its_attempts_is_lost_unless_it_is_claimed_again() {
    let property = "nothing is lost: a worker that lives ends everything";
    breaks(property, Flaw::UsedUpIsNotClaimed, unreliable(&[OTHER], 1));
}

/// The table in the model's documentation names methods of the trait and rules of the suite, and all actions.
#[test]
fn the_table_names_what_there_is() {
    let store = include_str!("../../mediator-outbox/src/store/mod.rs");
    let suite = include_str!("../../mediator-outbox/src/store/compliance.rs");
    let actions = include_str!("action.rs");
    let lines = include_str!("lib.rs").lines().filter(|line| line.starts_with("//! | [`"));
    let rows: Vec<Vec<_>> = lines.map(|line| line.split('|').collect()).collect();
    for row in &rows {
        let [_, action, method, rules, _] = &row[..] else { panic!("four columns: {row:?}") };
        assert!(names(action).all(|name| actions.contains(&format!("    {name}"))), "{action}");
        assert!(names(method).all(|name| store.contains(&format!("    fn {name}("))), "{method}");
        for rule in names(rules) {
            assert!(suite.lines().any(|line| line.trim() == rule), "`{rule}` is no rule of the suite");
        }
    }
    assert!(rows.len() > 10, "the table was found");
}

/// What is in backticks.
fn names(column: &str) -> impl Iterator<Item = &str> {
    column.split('`').skip(1).step_by(2)
}
