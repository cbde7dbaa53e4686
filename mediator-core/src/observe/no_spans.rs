//! In place of `spans.rs` where the feature `tracing` is off.

use std::fmt::Display;

use super::ended::Ended;
use super::{Operation, Subject};
use crate::handler::info::HandlerInfo;

pub(crate) fn is_on() -> bool {
    false
}

pub(crate) fn ask() {}

pub(crate) struct Span;

impl Span {
    pub(crate) fn of_message(_operation: Operation, _subject: &Subject) -> Self {
        Self
    }

    pub(crate) fn of_handler(_subject: &Subject, _handler: &HandlerInfo) -> Self {
        Self
    }

    pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        run()
    }

    pub(crate) fn note_attempts(&self, _attempts: u32) {}

    pub(crate) fn end(&self, _ended: &Ended<'_>) {}

    pub(crate) fn tell_failure(&self, _subject: &Subject, _handler: Option<&HandlerInfo>, _ended: &Ended<'_>) {}

    pub(crate) fn tell_unfinished(
        &self,
        _operation: Operation,
        _subject: &Subject,
        _cut_off: &impl Display,
        _not_run: &impl Display,
    ) {
    }
}
