#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bridge;
mod cloud_event;
mod consumer;
mod error;
mod report;
mod server;
mod stats;
mod subject;

pub use bridge::{NatsBridge, NatsBridgeBuilder};
pub use consumer::{Consumer, ConsumerBuilder};
pub use error::{Mismatch, NatsError};
pub use stats::{MalformedMessage, Stats};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the examples of the chapter.
#[cfg(doctest)]
mod chapter {
    #[doc = include_str!("../../docs/across-nodes.md")]
    struct AcrossNodes;
}
