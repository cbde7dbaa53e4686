#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "cli")]
pub mod cli;
mod clock;
mod connection;
mod error;
mod external;
mod headers;
#[cfg(feature = "testing")]
mod in_process;
mod operations;
mod outbox;
mod outboxes;
mod report;
pub mod sql;
pub mod store;
mod worker;

pub use clock::Clock;
pub use error::{StoreError, StoreErrorKind, full_text};
pub use external::Received;
#[cfg(feature = "testing")]
pub use in_process::InProcessBus;
pub use mediator_core::durable::{ExternalBus, ExternalEvent};
pub use operations::{Attempts, Deliveries, HandlerStats, Stats};
pub use outbox::{Outbox, OutboxTransaction};
pub use outboxes::InMemoryOutbox;
#[cfg(feature = "postgres")]
pub use outboxes::PostgresOutbox;
#[cfg(feature = "sqlite")]
pub use outboxes::SqliteOutbox;
pub use store::{Delivery, DeliveryId, State};
pub use worker::{Drained, Worker, WorkerBuilder};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the examples of the chapter.
#[cfg(all(doctest, feature = "sqlite"))]
mod chapter {
    #[doc = include_str!("../../docs/durable.md")]
    struct Durable;
}
