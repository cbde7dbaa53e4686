//! What the tests of durable handlers share with the process that they kill and pause.

mod database;
mod handlers;
mod journal;
mod plan;
mod point;
mod watched;

pub use database::{Database, Postgres, Sqlite};
pub use handlers::{Deadly, Followed, Happened, InOrder, least};
pub use journal::{Journal, Moment, Run};
pub use plan::{Plan, run};
pub use point::reach;
pub use watched::{Hook, Watched, WatchedTransaction};
