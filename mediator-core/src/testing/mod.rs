//! What an application can check about itself in its tests.

mod link_check;

pub use link_check::assert_modules_linked;
