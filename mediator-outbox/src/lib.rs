//! Durable handlers for [mediator](https://docs.rs/mediator-core).

mod clock;
mod error;
pub mod store;

pub use clock::Clock;
pub use error::{StoreError, StoreErrorKind};
