//! What every store must do, as tests that any store can be held against.
//!
//! Implement [`Subject`] for your store, and let [`store_compliance!`](crate::store_compliance) make a test of each rule:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use mediator_outbox::Clock;
//! use mediator_outbox::store::MemoryStore;
//! use mediator_outbox::store::compliance::Subject;
//!
//! struct Memory { clock: Clock, store: MemoryStore }
//!
//! impl Memory {
//!     /// A store without deliveries for the rule of this name; `None` skips it.
//!     async fn open(_rule: &'static str) -> Option<Self> {
//!         let clock = Clock::fixed(SystemTime::now());
//!         Some(Self { clock: clock.clone(), store: MemoryStore::new(clock, 10_000) })
//!     }
//! }
//!
//! impl Subject for Memory {
//!     type Store = MemoryStore;
//!     const TRANSACTIONS: bool = false;
//!
//!     fn store(&self) -> &MemoryStore {
//!         &self.store
//!     }
//!
//!     async fn advance(&self, by: Duration) {
//!         self.clock.advance(by);
//!     }
//! }
//!
//! mediator_outbox::store_compliance!(Memory::open);
//! ```
//!
//! Tests that use it run on tokio; it needs the feature `testing`.

#![allow(clippy::missing_panics_doc, reason = "a rule that is broken panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use mediator_core::EventId;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Claim, Claimed, Delivery, DeliveryId, Due, Failure, Filter, Lease, NewEvent, Recorded, State, Store, Then, Wanted,
};

mod claims;
mod keys;
mod operations;
mod recording;

pub use claims::*;
pub use keys::*;
pub use operations::*;
pub use recording::*;

/// A store that is held against the rules, empty at first.
pub trait Subject: Send + Sync + 'static {
    /// Its type.
    type Store: Store;

    /// Whether the store has transactions; otherwise the rules for them are not tried.
    const TRANSACTIONS: bool = true;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Lets time pass, as far as the store can tell.
    fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send;

    /// Makes a ready delivery wait, as somebody may who changes rows by hand; returns whether it did.
    fn strand(&self, delivery: DeliveryId) -> impl Future<Output = bool> + Send {
        let _ = delivery;
        std::future::ready(false)
    }

    /// Removes what the store leaves behind.
    fn close(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Makes a test of each rule of the [compliance suite](crate::store::compliance).
///
/// Its argument is an async function from the name of the rule to an `Option` of a
/// [`Subject`](crate::store::compliance::Subject): `None` skips the rule.
#[macro_export]
macro_rules! store_compliance {
    ($open:expr) => {
        $crate::store_compliance! { @ $open;
            an_event_is_recorded_once
            each_handler_has_a_delivery
            a_dropped_recording_leaves_all_or_nothing
            a_dropped_recording_in_a_transaction_leaves_all_or_nothing
            no_time_is_too_far_away
            what_is_committed_is_delivered
            what_is_rolled_back_is_never_delivered
            a_transaction_that_is_dropped_is_rolled_back
            a_scheduled_delivery_is_not_early
            an_unscheduled_event_is_not_delivered
            unscheduling_can_be_rolled_back
            strings_may_contain_nul
            a_payload_may_be_large

            the_longest_due_go_first_up_to_each_handlers_limit
            one_claim_serves_many_handlers
            nothing_asked_nothing_done
            unknown_handlers_and_events_are_left_alone
            newer_versions_are_left_alone
            many_newer_versions_hold_nothing_up
            a_lease_holds_until_it_ends
            a_lease_that_ended_is_taken_over_and_counted
            a_renewed_lease_holds
            an_older_lease_ends_nothing
            an_older_lease_ends_nothing_within_a_transaction
            a_delivery_ends_once
            a_completion_within_a_transaction_is_committed_with_it
            a_failed_delivery_is_tried_again
            a_dead_delivery_is_not_claimed
            what_is_given_back_costs_no_attempt
            giving_back_keeps_how_often_the_lease_was_lost
            a_failure_forgets_how_often_the_lease_was_lost
            a_dropped_claim_leaves_all_or_nothing
            a_dropped_begin_holds_nothing_up
            concurrent_claims_give_nothing_twice
            the_next_delivery_is_announced_in_time

            a_key_goes_in_the_order_of_recording
            keys_and_handlers_do_not_wait_for_each_other
            a_batch_has_one_delivery_of_each_key
            a_completed_batch_lets_every_key_go_on
            a_retried_delivery_holds_its_key
            a_lost_lease_holds_its_key
            what_is_given_back_holds_its_key
            a_dead_delivery_blocks_its_key
            a_dead_delivery_can_let_its_key_go_on
            a_dead_delivery_that_was_passed_by_can_be_retried
            a_discarded_delivery_lets_its_key_go_on
            a_kept_delivery_lets_its_key_go_on
            an_unscheduled_event_lets_its_key_go_on
            a_completion_within_a_transaction_lets_its_key_go_on
            a_blocked_key_holds_nobody_else_up
            concurrent_workers_keep_the_order_of_keys
            what_waits_for_nobody_is_repaired

            a_retried_delivery_starts_anew
            retrying_and_discarding_stop_at_the_limit
            only_dead_deliveries_are_retried_or_discarded
            deliveries_are_counted_by_kind
            deliveries_are_listed_page_by_page
            a_filter_lets_pass_what_fits_all_of_it
            a_delivery_tells_what_became_of_it
            the_event_of_a_delivery_can_be_read
            a_purge_keeps_what_has_deliveries
            a_purge_keeps_received_events_for_a_while
            a_purge_keeps_what_is_done_for_a_while
            a_purge_ends
            time_passes
        }
    };
    (@ $open:expr; $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::store::compliance::run($open(stringify!($rule)), $crate::store::compliance::$rule);
            }
        )*
    };
}

/// Tries a rule on a store.
///
/// # Panics
///
/// If the store breaks the rule, or no runtime can be had.
pub fn run<S: Subject, R>(open: impl Future<Output = Option<S>>, rule: impl FnOnce(Arc<S>) -> R)
where
    R: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let Some(subject) = open.await else { return };
        let subject = Arc::new(subject);
        let broken = tokio::spawn(rule(Arc::clone(&subject))).await.err();
        subject.close().await;
        if let Some(broken) = broken {
            resume_unwind(broken.into_panic());
        }
    });
}

const EVENT: &str = "orders.placed";
const LEASE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn event<'a>(handlers: &'a [&'a str]) -> NewEvent<'a> {
    NewEvent {
        event_id: EventId::new(),
        name: EVENT,
        version: 1,
        key: None,
        payload: "{}",
        headers: None,
        handlers,
        due: Due::Now,
        received: false,
    }
}

fn keyed<'a>(key: &'a str, handlers: &'a [&'a str]) -> NewEvent<'a> {
    NewEvent { key: Some(key), ..event(handlers) }
}

async fn record<S: Store>(store: &S, event: &NewEvent<'_>) {
    assert_eq!(store.record_alone(event).await.unwrap(), Recorded::New);
}

/// Records so many events for one handler, and returns their deliveries.
async fn record_some<S: Store>(store: &S, handler: &str, count: usize) -> Vec<DeliveryId> {
    for _ in 0..count {
        record(store, &event(&[handler])).await;
    }
    let filter = Filter { handler: Some(handler.into()), ..Filter::default() };
    list(store, &filter).await.into_iter().map(|delivery| delivery.id).collect()
}

fn wanted(handler: &str, limit: u32) -> Wanted<'_> {
    Wanted { handler, event: EVENT, version: 1, limit }
}

async fn claim_all<S: Store>(store: &S, wanted: &[Wanted<'_>]) -> Vec<Claimed> {
    store.claim(&Claim { owner: Uuid::nil(), lease: LEASE, wanted }).await.unwrap()
}

async fn claim<S: Store>(store: &S, handler: &str, limit: u32) -> Vec<Claimed> {
    claim_all(store, &[wanted(handler, limit)]).await
}

/// Claims the one delivery that can be claimed.
async fn claim_one<S: Store>(store: &S, handler: &str) -> Claimed {
    let mut claimed = claim(store, handler, 10).await;
    assert_eq!(claimed.len(), 1, "one delivery is due, these were claimed: {claimed:?}");
    claimed.remove(0)
}

async fn nothing_is_due<S: Store>(store: &S, handler: &str) {
    let claimed = claim(store, handler, 10).await;
    assert!(claimed.is_empty(), "nothing is due, these were claimed: {claimed:?}");
}

fn leases(claimed: &[Claimed]) -> Vec<Lease> {
    claimed.iter().map(|claimed| claimed.lease).collect()
}

fn ids(claimed: &[Claimed]) -> Vec<DeliveryId> {
    claimed.iter().map(|claimed| claimed.lease.delivery).collect()
}

async fn complete<S: Store>(store: &S, claimed: &Claimed) {
    assert_eq!(store.complete(&[claimed.lease], false).await.unwrap(), [claimed.lease.delivery]);
}

async fn fail<S: Store>(store: &S, claimed: &Claimed, then: Then) {
    let failure = Failure { lease: claimed.lease, then, error: "it rains".into() };
    assert_eq!(store.fail(&[failure]).await.unwrap(), [claimed.lease.delivery]);
}

async fn give_back<S: Store>(store: &S, claimed: &Claimed) {
    assert_eq!(store.give_back(&[claimed.lease]).await.unwrap(), [claimed.lease.delivery]);
}

async fn list<S: Store>(store: &S, filter: &Filter) -> Vec<Delivery> {
    store.list(filter, None, 10_000).await.unwrap()
}

async fn get<S: Store>(store: &S, delivery: DeliveryId) -> Delivery {
    let filter = Filter { delivery: Some(delivery), ..Filter::default() };
    list(store, &filter).await.pop().expect("the delivery is there")
}

async fn state<S: Store>(store: &S, delivery: DeliveryId) -> State {
    get(store, delivery).await.state
}

fn of_event(event: &NewEvent<'_>) -> Filter {
    Filter { event_id: Some(event.event_id), ..Filter::default() }
}

/// What a future returns within so many polls; then it is dropped.
async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    /// Every rule is in the macro.
    #[test]
    fn no_rule_is_forgotten() {
        let list = include_str!("compliance.rs");
        let sources = [
            include_str!("compliance/claims.rs"),
            include_str!("compliance/keys.rs"),
            include_str!("compliance/operations.rs"),
            include_str!("compliance/recording.rs"),
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            if let Some((rule, _)) = line.strip_prefix("pub async fn ").and_then(|rest| rest.split_once('<')) {
                assert!(list.lines().any(|line| line.trim() == rule), "`{rule}` is not tried");
            }
        }
    }
}
