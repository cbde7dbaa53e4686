//! In place of `meters.rs` where the feature `metrics` is off.

use std::time::Duration;

use super::ended::Ended;
use super::{Operation, Subject};
use crate::handler::info::HandlerInfo;

pub(crate) fn describe() -> bool {
    false
}

pub(crate) fn sent(_operation: Operation, _subject: &Subject) {}

pub(crate) fn handled(_subject: &Subject, _handler: &HandlerInfo, _took: Duration, _ended: &Ended<'_>) {}
