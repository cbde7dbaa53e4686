//! What tests of an application use: features `testing` and `link-check`.
#![doc = include_str!("testing.md")]

mod assertions;
mod builder;
mod limit;
#[cfg(feature = "link-check")]
mod link_check;
#[cfg(feature = "link-check")]
mod link_report;
mod recorder;
mod scenario;
mod show;
mod stand_in;
mod tree;

#[cfg(feature = "link-check")]
pub use link_check::assert_modules_linked;
pub use recorder::{HandlerRecord, Record, Recorder};
pub use scenario::{Scenario, Stimulus, WaitFor};

pub use crate::observe::records::Status;
#[doc(inline)]
pub use crate::{
    __assert_not_published as assert_not_published, __assert_published as assert_published,
    __assert_published_once as assert_published_once,
};

/// What the macros' expansions use.
#[doc(hidden)]
pub mod __private {
    pub use super::assertions::{Search, search};
    pub use super::show::{Show, ShowDebug, ShowNothing, TypeToShow};
}
