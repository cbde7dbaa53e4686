//! The test kit, by its public API.
#![allow(missing_docs)]

mod assertions;
mod boundaries;
mod durable;
mod recording;
mod scenarios;
mod stand_ins;
mod world;
