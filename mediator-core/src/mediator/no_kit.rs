//! In place of `kit.rs` where the feature `testing` is off.

use super::wiring::Binding;
use crate::dispatch::Watch;
use crate::errors::build_error::BuildProblem;

#[derive(Default)]
pub(crate) struct Kit {
    pub(crate) is_record_only: bool,
}

impl Kit {
    pub(super) fn watch(&self) -> Watch {
        Watch::new()
    }

    #[cfg(feature = "durable")]
    pub(super) fn records_durable(&self) -> bool {
        true
    }

    pub(super) fn apply(&self, _bindings: &mut Vec<Binding<'_>>) -> Vec<BuildProblem> {
        Vec::new()
    }
}
