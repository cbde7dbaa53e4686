//! What several test files share.
//!
//! | module        | what it is for                                                            |
//! |---------------|---------------------------------------------------------------------------|
//! | `amounts`     | how many cases and repetitions                                            |
//! | `best_effort` | a strategy of a user's own                                                |
//! | `bind_tens`   | handlers by the ten, each of a type of its own                            |
//! | `closure`     | a handler made of a closure                                               |
//! | `log`         | what happened, in the order it did                                        |
//! | `names`       | handlers and places, shortened                                            |
//! | `scripted`    | handlers that do as they are told, and what an error says of them         |
//! | `stepped`     | a future that the test polls by hand                                      |
//! | `waiting`     | what a handler awaits: some polls, or a gate that the test opens          |
//! | `workspace`   | Cargo in a workspace of its own                                           |
//!
//! These tests keep a `Log` instead of a `Recorder` of the kit: a mediator that is recorded calls its handlers by another way, and
//! they are about the plain one.
#![allow(missing_docs, clippy::missing_panics_doc)]

mod amounts;
mod best_effort;
mod bind_tens;
mod closure;
mod log;
mod names;
mod scripted;
mod stepped;
mod waiting;
mod workspace;

pub use amounts::{cases, many, some};
pub use best_effort::BestEffort;
pub use closure::On;
pub use log::{Log, OnDrop};
pub use names::{names, place, short};
pub use scripted::{End, Said, Script, Scripted, Wait, bind_many_scripted, bind_scripted, error, forever, ok, panic};
pub use stepped::Stepped;
pub use waiting::{Gate, gate, pending};
pub use workspace::Workspace;
