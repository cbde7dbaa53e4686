//! The webhooks that the hub understands, and the rest.

use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

/// What all webhooks have in common.
pub trait Webhook: Event {
    /// Where it happened, as `owner/name`; not every webhook belongs to a repository.
    fn repository(&self) -> Option<&str>;

    /// Who did it, by login.
    fn sender(&self) -> Option<&str>;
}

/// Somebody proposes a change.
#[event(name = "pull_request.opened")]
#[derive(Debug, Serialize, Deserialize)]
pub struct PullRequestOpened {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
    /// What it is about.
    pub title: String,
}

/// A pull request is closed without being merged.
#[event(name = "pull_request.closed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct PullRequestClosed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
}

/// A pull request is merged.
#[event(name = "pull_request.merged")]
#[derive(Debug, Serialize, Deserialize)]
pub struct PullRequestMerged {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
    /// What it is about.
    pub title: String,
    /// Who wrote it.
    pub author: String,
}

/// A closed pull request is up for discussion again.
#[event(name = "pull_request.reopened")]
#[derive(Debug, Serialize, Deserialize)]
pub struct PullRequestReopened {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
}

/// Somebody has reviewed a pull request.
#[event(name = "pull_request_review.submitted")]
#[derive(Debug, Serialize, Deserialize)]
pub struct PullRequestReviewed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
    /// What the reviewer says: `approved`, `changes_requested`, `commented`.
    pub verdict: String,
}

/// Somebody comments on a line of a pull request.
#[event(name = "pull_request_review_comment.created")]
#[derive(Debug, Serialize, Deserialize)]
pub struct ReviewCommented {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The pull request.
    pub number: u64,
}

/// Somebody reports something.
#[event(name = "issues.opened")]
#[derive(Debug, Serialize, Deserialize)]
pub struct IssueOpened {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The issue.
    pub number: u64,
    /// What it is about.
    pub title: String,
    /// The labels it was opened with.
    pub labels: Vec<String>,
}

/// An issue is done with.
#[event(name = "issues.closed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct IssueClosed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The issue.
    pub number: u64,
}

/// An issue is not done with after all.
#[event(name = "issues.reopened")]
#[derive(Debug, Serialize, Deserialize)]
pub struct IssueReopened {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The issue.
    pub number: u64,
}

/// An issue gets a label.
#[event(name = "issues.labeled")]
#[derive(Debug, Serialize, Deserialize)]
pub struct IssueLabeled {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The issue.
    pub number: u64,
    /// The label.
    pub label: String,
}

/// Somebody comments on an issue or a pull request.
#[event(name = "issue_comment.created")]
#[derive(Debug, Serialize, Deserialize)]
pub struct IssueCommented {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The issue or pull request.
    pub number: u64,
}

/// Somebody comments on a commit.
#[event(name = "commit_comment.created")]
#[derive(Debug, Serialize, Deserialize)]
pub struct CommitCommented {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The commit's hash.
    pub commit: String,
}

/// A branch or a tag has moved.
#[event(name = "push")]
#[derive(Debug, Serialize, Deserialize)]
pub struct CommitsPushed {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The branch or tag, as `refs/heads/main`.
    pub git_ref: String,
    /// Who wrote the commits that are new, one name for each commit.
    pub authors: Vec<String>,
}

/// A release can be had.
#[event(name = "release.published")]
#[derive(Debug, Serialize, Deserialize)]
pub struct ReleasePublished {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The release's tag.
    pub tag: String,
}

/// A check has come to an end.
#[event(name = "check_run.completed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckRunCompleted {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The check's name.
    pub check: String,
    /// How it ended: `success`, `failure`, `neutral`, `cancelled` and so on.
    pub conclusion: String,
}

/// A job of a workflow has come to an end.
#[event(name = "workflow_job.completed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkflowJobCompleted {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The job's name.
    pub job: String,
    /// How it ended: `success`, `failure`, `cancelled` and so on.
    pub conclusion: String,
}

/// Somebody likes the repository.
#[event(name = "star.created")]
#[derive(Debug, Serialize, Deserialize)]
pub struct RepositoryStarred {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
}

/// Somebody makes a copy of the repository.
#[event(name = "fork")]
#[derive(Debug, Serialize, Deserialize)]
pub struct RepositoryForked {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The copy, as `owner/name`.
    pub fork: String,
}

/// Somebody wants to talk.
#[event(name = "discussion.created")]
#[derive(Debug, Serialize, Deserialize)]
pub struct DiscussionOpened {
    /// Where, as `owner/name`.
    pub repository: String,
    /// Who did it, by login.
    pub sender: String,
    /// The discussion.
    pub number: u64,
    /// Where it was opened, as `Q&A`.
    pub category: String,
}

/// Any other webhook that GitHub documents.
#[event(name = "other")]
#[derive(Debug, Serialize, Deserialize)]
pub struct OtherWebhook {
    /// GitHub's name for the event.
    pub kind: String,
    /// What happened to it, if the event is of a kind to which several things can happen.
    pub action: Option<String>,
    /// Where, as `owner/name`, if it has to do with a repository.
    pub repository: Option<String>,
    /// Who did it, by login, if it was somebody.
    pub sender: Option<String>,
}

/// A webhook of a kind that GitHub does not document, or did not yet when the hub was made.
#[event(name = "unknown")]
#[derive(Debug, Serialize, Deserialize)]
pub struct UnknownWebhook {
    /// GitHub's name for the event.
    pub kind: String,
    /// What happened to it, if the event is of a kind to which several things can happen.
    pub action: Option<String>,
    /// Where, as `owner/name`, if it has to do with a repository.
    pub repository: Option<String>,
    /// Who did it, by login, if it was somebody.
    pub sender: Option<String>,
}

macro_rules! impl_webhook {
    ($($event:ty),* $(,)?; without_repository: $($bare:ty),* $(,)?) => {
        $(
            impl Webhook for $event {
                fn repository(&self) -> Option<&str> {
                    Some(&self.repository)
                }

                fn sender(&self) -> Option<&str> {
                    Some(&self.sender)
                }
            }
        )*
        $(
            impl Webhook for $bare {
                fn repository(&self) -> Option<&str> {
                    self.repository.as_deref()
                }

                fn sender(&self) -> Option<&str> {
                    self.sender.as_deref()
                }
            }
        )*

        /// The webhook that an event is, if it is one: for observers, which see all events.
        #[must_use]
        pub fn as_webhook(event: &dyn DynNotification) -> Option<&dyn Webhook> {
            $(
                if let Some(webhook) = event.downcast_ref::<$event>() {
                    return Some(webhook);
                }
            )*
            $(
                if let Some(webhook) = event.downcast_ref::<$bare>() {
                    return Some(webhook);
                }
            )*
            None
        }
    };
}

impl_webhook! {
    PullRequestOpened,
    PullRequestClosed,
    PullRequestMerged,
    PullRequestReopened,
    PullRequestReviewed,
    ReviewCommented,
    IssueOpened,
    IssueClosed,
    IssueReopened,
    IssueLabeled,
    IssueCommented,
    CommitCommented,
    CommitsPushed,
    ReleasePublished,
    CheckRunCompleted,
    WorkflowJobCompleted,
    RepositoryStarred,
    RepositoryForked,
    DiscussionOpened;
    without_repository: OtherWebhook, UnknownWebhook,
}
