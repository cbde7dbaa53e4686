//! What happens in the hub itself.

use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

/// Time to report what was found.
#[event(name = "hub.report_due")]
#[derive(Debug)]
pub struct ReportDue;

/// A check or a workflow has failed and somebody should look at it. Other services can know it, too.
#[event(name = "hub.build_failed", external)]
#[derive(Debug, Serialize, Deserialize)]
pub struct BuildFailed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// What failed.
    pub build: String,
    /// The event that told of it: the same each time that this one is published for it.
    pub told_by: EventId,
}
