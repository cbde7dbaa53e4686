//! How handlers get what they depend on.

pub(crate) mod inject;
pub(crate) mod module_service;
pub(crate) mod parameters;
#[allow(clippy::module_inception)]
pub(crate) mod services;
