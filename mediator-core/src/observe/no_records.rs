//! In place of `records.rs` where the feature `testing` is off.

use super::ended::Ended;
use super::{Operation, Subject};
use crate::handler::info::HandlerInfo;

pub(crate) struct Records;

impl Records {
    pub(crate) const NONE: Self = Self;

    pub(crate) fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn start(&self, _operation: Operation, _subject: &Subject, _around: Option<&Record>) -> Record {
        Record
    }
}

pub(crate) struct Record;

impl Record {
    pub(crate) fn is_kept(&self) -> bool {
        false
    }

    pub(crate) fn expect(&self, _handlers: &[HandlerInfo]) {}

    pub(crate) fn note_start(&self, _handler: usize) {}

    pub(crate) fn note_end(&self, _handler: usize, _ended: &Ended<'_>) {}

    pub(crate) fn within<R>(&self, _handler: usize, poll: impl FnOnce() -> R) -> R {
        poll()
    }

    pub(crate) fn keep(&self, _message: std::sync::Arc<dyn std::any::Any + Send + Sync>) {}

    pub(crate) fn note_answer(&self, _text: impl FnOnce() -> Option<String>) {}

    pub(crate) fn end(&self, _ended: &Ended<'_>) {}
}
