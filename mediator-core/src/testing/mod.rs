//! What an application can check about itself in its tests.

mod link_check;
mod link_report;

pub use link_check::assert_modules_linked;
