use std::panic::Location;

use mediator_core::HandlerInfo;

/// The last part of the handlers' names.
pub fn names<'a>(handlers: impl IntoIterator<Item = &'a HandlerInfo>) -> Vec<&'static str> {
    handlers.into_iter().map(|handler| short(handler.name())).collect()
}

/// The last part of a path.
#[must_use]
pub fn short(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// `(file name, line)` of a place.
#[must_use]
pub fn place(location: &Location<'static>) -> (&'static str, u32) {
    (location.file().rsplit(['/', '\\']).next().unwrap_or_default(), location.line())
}
