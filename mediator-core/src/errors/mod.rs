//! What a publish, a send and a build report, and how panics are kept.

pub(crate) mod build_error;
pub(crate) mod chain;
pub(crate) mod handler_failure;
pub(crate) mod panics;
pub(crate) mod publish_error;
pub(crate) mod refused;
pub(crate) mod send_error;
