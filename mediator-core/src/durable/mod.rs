//! Durable handlers: what modules use, and what an outbox is built on.
//!
//! A handler with `#[event_handler(durable, name = "…")]` is not called by the publish. The publish records a delivery for it
//! through the [`Outbox`] that the mediator was built with, and a worker of that outbox delivers it later: after a crash, too, and
//! again if it fails. The crate `mediator-outbox` has outboxes for SQLite, PostgreSQL and for memory.
//!
//! Modules use [`DeliveryInfo`], [`Permanent`](struct@Permanent) and [`RetryAfter`](struct@RetryAfter); the rest is for those who write an outbox.

pub(crate) mod event;
pub(crate) mod external;
pub(crate) mod failure;
pub(crate) mod handler;
pub(crate) mod info;
pub(crate) mod options;
pub(crate) mod outbox;

pub use event::DurableEvent;
pub use external::{External, ExternalBus, ExternalEvent};
pub use failure::{Permanent, RetryAfter};
pub use handler::DurableHandler;
pub use info::DeliveryInfo;
pub use options::RetryOptions;
pub use outbox::{Due, Outbox, OutboxError, OutboxFuture, Recording};

pub use crate::dispatch::{Exclusive as BorrowedMut, LentToOutbox};
