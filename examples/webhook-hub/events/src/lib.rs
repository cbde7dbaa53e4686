//! What happens on GitHub, as the hub's modules see it, and the [`Report`] they write for its user.
//!
//! This is all that the modules have in common. None of them knows GitHub's JSON, the program that
//! reads it, or another module.

mod replay;
mod report;
mod webhooks;

pub use crate::replay::{BuildFailed, ReplayFinished};
pub use crate::report::{Finding, Report};
pub use crate::webhooks::{
    CheckRunCompleted, CommitCommented, CommitsPushed, DiscussionOpened, IssueClosed, IssueCommented, IssueLabeled,
    IssueOpened, IssueReopened, PullRequestClosed, PullRequestMerged, PullRequestOpened, PullRequestReopened,
    PullRequestReviewed, ReleasePublished, RepositoryForked, RepositoryStarred, ReviewCommented, UnknownWebhook,
    Webhook, WorkflowJobCompleted, as_webhook,
};
