//! The call of a handler: the only unsafe code of the crate, but for two calls of the system.
//!
//! A publish must not allocate, yet handlers' futures have types and sizes of their own. So a
//! [`Slot`] keeps one future of any type in place, a [`Table`] keeps, for each event type, function
//! pointers that are made for one (event, handler) pair, with the handler they belong to, and a
//! [`Publish`] keeps the event that the futures borrow.
//!
//! Everything that leaves this module is safe to use in any way; see the `SAFETY` comments for why.
//!
//! What is generic here is compiled for each handler, so it works with raw pointers: unoptimized
//! builds compile every method of `NonNull` for every type.
//!
//! The tests below run under Miri: `cargo +nightly miri test -p mediator-core --lib dispatch`. Those of
//! the other packages do not, since Miri does not run the constructors that `inventory` registers
//! with; `tests/sanitize.sh` covers them.
#![allow(unsafe_code)]

mod call;
mod publish;
mod slot;
mod table;

pub(crate) use call::{CallPlan, Polled};
pub use publish::Publish;
pub(crate) use slot::{Slot, Slots};
pub(crate) use table::{Dispatch, HandlerList, Instance, Table, TypeIdMap};

#[cfg(test)]
mod tests;
