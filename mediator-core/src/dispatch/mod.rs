//! The engine: how handlers are called. All unsafe code that it needs is here.
//!
//! A publish must not allocate, yet handlers' futures have types and sizes of their own. So a
//! [`Storage`](storage) keeps one future of any type in place, a [`Table`] keeps, for each event type,
//! functions that are compiled for one (event, handler) pair, with the handler they are for, and a
//! [`Publish`] keeps the event that the futures borrow. What handlers borrow from the publish is in `lent.rs`.
//! Requests are the same with one handler, whose answer stays where its future was: `request.rs`, `send.rs`. With behaviors
//! around it, a handler's place in its list is taken by a chain: `passage.rs`, and `call.rs` for what behaviors see of it.
//!
//! Everything that leaves this module is safe to use in any way; each `SAFETY` comment names the invariant it relies on.
//!
//! What is generic here is compiled for each handler, so it works with raw pointers: unoptimized
//! builds compile every method of `NonNull` for every type.
#![allow(unsafe_code)]

mod borrow;
mod call;
mod callee;
pub(crate) mod core;
#[cfg(debug_assertions)]
mod depth;
#[allow(clippy::module_inception)]
mod dispatch;
mod group;
mod group_wakers;
mod lent;
mod observed;
mod passage;
mod plan;
mod publish;
#[cfg(feature = "durable")]
mod recording;
mod request;
mod room;
mod scope;
mod send;
mod slot;
mod storage;
mod table;
mod vtable;

pub use borrow::Borrow;
pub use call::{Call, Lending, MessageKind, OfAny, OfEvent, OfRequest};
#[cfg(feature = "durable")]
pub(crate) use core::Durable;
pub(crate) use core::{BoxedRun, Core, ErasedStrategy, Link, Strategy, WeakCore};
pub(crate) use dispatch::{Dispatch, conflict};
pub(crate) use group::Group;
pub use lent::{BorrowError, Exclusive, Lend, Lent, Shared};
pub(crate) use observed::{Seen, Watch};
pub(crate) use passage::Around;
pub use passage::BehaviorPlan;
pub use plan::StaticPlan;
pub(crate) use plan::{CallPlan, MessageInfo};
pub(crate) use publish::RunInOrder;
pub use publish::{Publish, Publishable};
#[cfg(feature = "durable")]
pub use recording::LentToOutbox;
#[cfg(feature = "durable")]
pub(crate) use recording::{DeliveryRecorder, RecordFirst};
pub use request::FnRequestHandler;
pub use scope::{Handle, Scope};
pub use send::Sending;
pub(crate) use slot::{Slot, Slots};
pub(crate) use table::{Entry, HandlerList, Instance, Table, TypeIdMap, borrows_from_outside};
pub use vtable::FnHandler;
pub(crate) use vtable::Polled;

#[cfg(test)]
mod tests;
