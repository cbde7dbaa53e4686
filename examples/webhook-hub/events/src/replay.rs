//! What happens in the hub itself.

use mediator_core::prelude::*;

/// There are no more webhooks: time to report what was found.
#[event(name = "hub.replay_finished")]
#[derive(Debug)]
pub struct ReplayFinished;

/// A check or a workflow has failed and somebody should look at it.
#[event(name = "hub.build_failed")]
#[derive(Debug)]
pub struct BuildFailed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// What failed.
    pub build: String,
}
