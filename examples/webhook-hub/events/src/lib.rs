//! What happens on GitHub, as the hub's modules see it, the [`Notebook`] they
//! keep, and the [`Report`] they write for the hub's user.
//!
//! This is all that the modules have in common. None of them knows GitHub's JSON, the program that
//! reads it, or another module.

mod hub;
mod notebook;
mod report;
mod webhooks;

pub use crate::hub::{BuildFailed, ReportDue};
pub use crate::notebook::{Change, MemoryNotebook, Note, Notebook, NotebookError, NotebookFuture, total};
pub use crate::report::{Finding, Report};
pub use crate::webhooks::{
    CheckRunCompleted, CommitCommented, CommitsPushed, DiscussionOpened, IssueClosed, IssueCommented, IssueLabeled,
    IssueOpened, IssueReopened, OtherWebhook, PullRequestClosed, PullRequestMerged, PullRequestOpened,
    PullRequestReopened, PullRequestReviewed, ReleasePublished, RepositoryForked, RepositoryStarred, ReviewCommented,
    UnknownWebhook, Webhook, WorkflowJobCompleted, as_webhook,
};
