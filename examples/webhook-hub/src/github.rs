//! From GitHub's JSON to the hub's events.

use std::str::Utf8Error;

use hub_events::{
    CheckRunCompleted, CommitCommented, CommitsPushed, DiscussionOpened, IssueClosed, IssueCommented, IssueLabeled,
    IssueOpened, IssueReopened, PullRequestClosed, PullRequestMerged, PullRequestOpened, PullRequestReopened,
    PullRequestReviewed, ReleasePublished, RepositoryForked, RepositoryStarred, ReviewCommented, UnknownWebhook,
    WorkflowJobCompleted,
};
use mediator_core::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a line is not a webhook.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("longer than {limit} MiB")]
    TooLong { limit: u64 },
    #[error("not UTF-8 from byte {} on", .0.valid_up_to() + 1)]
    NotUtf8(#[from] Utf8Error),
    #[error("not a JSON object: {}", in_line(.0))]
    NotAnObject(#[source] serde_json::Error),
    #[error("not a webhook: {0}")]
    NotAWebhook(#[source] serde_json::Error),
    #[error("not a valid `{kind}` webhook: `payload.{field}` is missing")]
    Missing { kind: String, field: &'static str },
    #[error("not a valid `{kind}` webhook: `payload.{field}`: {source}")]
    WrongType { kind: String, field: &'static str, source: serde_json::Error },
}

/// What is wrong and in which column, without the line: that takes each line of input for line 1.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) if error.column() > 0 => format!("{what} (column {})", error.column()),
        Some((what, _)) => what.to_owned(),
        None => text,
    }
}

type Decoded = Result<Box<dyn DynNotification>, Malformed>;

/// The event that a line of input stands for.
pub(crate) fn decode(line: &[u8]) -> Decoded {
    let object: Map<String, Value> = serde_json::from_str(str::from_utf8(line)?).map_err(Malformed::NotAnObject)?;
    Webhook::deserialize(object).map_err(Malformed::NotAWebhook)?.event()
}

#[derive(Deserialize)]
struct Webhook {
    #[serde(rename = "event")]
    kind: String,
    payload: Map<String, Value>,
}

#[derive(Deserialize)]
struct Commit {
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    name: String,
    username: Option<String>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

impl Webhook {
    fn event(&self) -> Decoded {
        match self.kind.as_str() {
            "check_run" => self.on("completed", |repository, sender| {
                let (check, conclusion) = (self.get("check_run.name")?, self.get("check_run.conclusion")?);
                Ok(CheckRunCompleted::new(repository, sender, check, conclusion))
            }),
            "commit_comment" => self.on("created", |repository, sender| {
                Ok(CommitCommented::new(repository, sender, self.get("comment.commit_id")?))
            }),
            "discussion" => self.on("created", |repository, sender| {
                let (number, category) = (self.get("discussion.number")?, self.get("discussion.category.name")?);
                Ok(DiscussionOpened::new(repository, sender, number, category))
            }),
            "fork" => {
                Ok(Box::new(RepositoryForked::new(self.repository()?, self.sender()?, self.get("forkee.full_name")?)))
            }
            "issue_comment" => self.on("created", |repository, sender| {
                Ok(IssueCommented::new(repository, sender, self.get("issue.number")?))
            }),
            "issues" => self.issue(),
            "pull_request" => self.pull_request(),
            "pull_request_review" => self.on("submitted", |repository, sender| {
                let (number, verdict) = (self.get("pull_request.number")?, self.get("review.state")?);
                Ok(PullRequestReviewed::new(repository, sender, number, verdict))
            }),
            "pull_request_review_comment" => self.on("created", |repository, sender| {
                Ok(ReviewCommented::new(repository, sender, self.get("pull_request.number")?))
            }),
            "push" => {
                Ok(Box::new(CommitsPushed::new(self.repository()?, self.sender()?, self.get("ref")?, self.authors()?)))
            }
            "release" => self.on("published", |repository, sender| {
                Ok(ReleasePublished::new(repository, sender, self.get("release.tag_name")?))
            }),
            "star" => self.on("created", |repository, sender| Ok(RepositoryStarred::new(repository, sender))),
            "workflow_job" => self.on("completed", |repository, sender| {
                let (job, conclusion) = (self.get("workflow_job.name")?, self.get("workflow_job.conclusion")?);
                Ok(WorkflowJobCompleted::new(repository, sender, job, conclusion))
            }),
            _ => Ok(self.unknown()),
        }
    }

    fn issue(&self) -> Decoded {
        let (repository, sender, number) = (self.repository()?, self.sender()?, self.get("issue.number")?);
        Ok(match self.action()? {
            "opened" => {
                let (title, labels) = (self.get("issue.title")?, self.labels()?);
                Box::new(IssueOpened::new(repository, sender, number, title, labels))
            }
            "closed" => Box::new(IssueClosed::new(repository, sender, number)),
            "reopened" => Box::new(IssueReopened::new(repository, sender, number)),
            "labeled" => Box::new(IssueLabeled::new(repository, sender, number, self.get("label.name")?)),
            _ => self.unknown(),
        })
    }

    fn pull_request(&self) -> Decoded {
        let (repository, sender, number) = (self.repository()?, self.sender()?, self.get("pull_request.number")?);
        Ok(match self.action()? {
            "opened" => Box::new(PullRequestOpened::new(repository, sender, number, self.get("pull_request.title")?)),
            "closed" if self.get("pull_request.merged")? => {
                let (title, author) = (self.get("pull_request.title")?, self.get("pull_request.user.login")?);
                Box::new(PullRequestMerged::new(repository, sender, number, title, author))
            }
            "closed" => Box::new(PullRequestClosed::new(repository, sender, number)),
            "reopened" => Box::new(PullRequestReopened::new(repository, sender, number)),
            _ => self.unknown(),
        })
    }

    /// The event of the one `action` that matters among those of this kind.
    fn on<E: Notification>(&self, action: &str, event: impl FnOnce(String, String) -> Result<E, Malformed>) -> Decoded {
        if self.action()? != action {
            return Ok(self.unknown());
        }
        Ok(Box::new(event(self.repository()?, self.sender()?)?))
    }

    fn unknown(&self) -> Box<dyn DynNotification> {
        let text = |path| self.find(path).and_then(Value::as_str).map(str::to_owned);
        let (repository, sender) = (text("repository.full_name"), text("sender.login"));
        Box::new(UnknownWebhook::new(self.kind.clone(), text("action"), repository, sender))
    }

    fn action(&self) -> Result<&str, Malformed> {
        self.get("action")
    }

    fn repository(&self) -> Result<String, Malformed> {
        self.get("repository.full_name")
    }

    fn sender(&self) -> Result<String, Malformed> {
        self.get("sender.login")
    }

    fn labels(&self) -> Result<Vec<String>, Malformed> {
        let labels: Vec<Label> = self.get("issue.labels")?;
        Ok(labels.into_iter().map(|label| label.name).collect())
    }

    fn authors(&self) -> Result<Vec<String>, Malformed> {
        let commits: Vec<Commit> = self.get("commits")?;
        Ok(commits.into_iter().map(|Commit { author }| author.username.unwrap_or(author.name)).collect())
    }

    /// The field at `path`, such as `issue.number`, as what the event makes of it.
    fn get<'a, T: Deserialize<'a>>(&'a self, path: &'static str) -> Result<T, Malformed> {
        let value = self.find(path).ok_or_else(|| Malformed::Missing { kind: self.kind.clone(), field: path })?;
        T::deserialize(value).map_err(|source| Malformed::WrongType { kind: self.kind.clone(), field: path, source })
    }

    fn find(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let outermost = self.payload.get(keys.next()?)?;
        keys.try_fold(outermost, |value, key| value.get(key))
    }
}
