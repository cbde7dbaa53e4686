//! What is sent to one handler and answered by it.

pub(crate) mod info;
pub(crate) mod recover;
#[allow(clippy::module_inception)]
pub(crate) mod request;
pub(crate) mod request_handler;
mod response_text;
