//! What `mediator-outbox` does with deliveries, as a model whose every reachable state is looked at.
//!
//! A few rows, two workers that are in different processes, and all orders of what these, their users and the time can do:
//! claims of any part of what is due, renewals, completions, failures, crashes at any moment, and resubmissions. A worker may be
//! stopped between any two of its steps for as long as leases take to end, so late completions need no action of their own. Time
//! is what is left until a row is due or its lease ends, and is one tick at most.
//!
//! # The model and the code
//!
//! | action | `Store` method | compliance rules by which a store does the same |
//! |---|---|---|
//! | [`Record`](Action::Record) | `record` | `each_handler_has_a_delivery`, `a_key_goes_in_the_order_of_recording` |
//! | [`Park`](Action::Park) | `claim` | `a_blocked_key_holds_nobody_else_up`, `what_waits_for_nobody_is_repaired` |
//! | [`Claim`](Action::Claim), a ready one | `claim` | `concurrent_claims_give_nothing_twice`, `a_batch_has_one_delivery_of_each_key` |
//! | [`Claim`](Action::Claim), a running one | `claim` | `a_lease_that_ended_is_taken_over_and_counted`, `a_lost_lease_holds_its_key` |
//! | [`Renew`](Action::Renew) | `renew` | `a_renewed_lease_holds`, `an_older_lease_ends_nothing` |
//! | [`Complete`](Action::Complete) | `complete` | `a_delivery_ends_once`, `an_older_lease_ends_nothing`, `a_completed_batch_lets_every_key_go_on`, `a_kept_delivery_lets_its_key_go_on` |
//! | [`CompleteWithin`](Action::CompleteWithin) | `complete_within` | `a_completion_within_a_transaction_is_committed_with_it`, `an_older_lease_ends_nothing_within_a_transaction`, `a_completion_within_a_transaction_lets_its_key_go_on` |
//! | [`Fail`](Action::Fail), to be tried again | `fail` | `a_failed_delivery_is_tried_again`, `a_retried_delivery_holds_its_key`, `a_failure_forgets_how_often_the_lease_was_lost` |
//! | [`Fail`](Action::Fail), dead | `fail` | `a_dead_delivery_is_not_claimed`, `a_dead_delivery_blocks_its_key`, `a_dead_delivery_can_let_its_key_go_on` |
//! | [`GiveBack`](Action::GiveBack) | `give_back` | `what_is_given_back_costs_no_attempt`, `what_is_given_back_holds_its_key`, `giving_back_keeps_how_often_the_lease_was_lost` |
//! | [`Retry`](Action::Retry) | `retry` | `a_retried_delivery_starts_anew`, `a_dead_delivery_that_was_passed_by_can_be_retried` |
//! | [`Discard`](Action::Discard) | `discard` | `only_dead_deliveries_are_retried_or_discarded`, `a_discarded_delivery_lets_its_key_go_on` |
//! | [`Unschedule`](Action::Unschedule) | `unschedule` | `an_unscheduled_event_is_not_delivered`, `an_unscheduled_event_lets_its_key_go_on` |
//! | [`Tick`](Action::Tick) | – | `a_lease_holds_until_it_ends`, `a_scheduled_delivery_is_not_early`, `time_passes` |
//!
//! [`Start`](Action::Start) and [`Crash`](Action::Crash) are the worker's alone. That the stores agree with the model is up to the
//! compliance suite; a test here holds this table against the suite and the trait, so that neither can change without the other.
//!
//! # What the model leaves out
//!
//! Tokens are compared and never read, so it keeps only whether a worker's token is the row's ([`State::renumber`]). Of how often
//! a lease was lost it keeps whether it was, which is all that workers ask. Statements are atomic, as they are in a database.
//! Unknown handlers, versions, purges, and the wake-up of workers are no part of it.

mod action;
mod model;
mod properties;
mod state;
mod transitions;

pub use action::{Action, Batch, Then};
pub use model::{Delivery, Flaw, Kind, Outbox};
pub use properties::{ALWAYS, SOMETIMES};
pub use state::{Hold, Phase, ROWS, Row, Standing, State, WORKERS, Worker};
