//! From GitHub's JSON to the hub's events.
//!
//! Of each webhook, only what an event has is read, and checked: the crates that model all of GitHub's payloads take minutes to
//! compile.

use std::str::Utf8Error;

use hub_events::{
    CheckRunCompleted, CommitCommented, CommitsPushed, DiscussionOpened, IssueClosed, IssueCommented, IssueLabeled,
    IssueOpened, IssueReopened, OtherWebhook, PullRequestClosed, PullRequestMerged, PullRequestOpened,
    PullRequestReopened, PullRequestReviewed, ReleasePublished, RepositoryForked, RepositoryStarred, ReviewCommented,
    UnknownWebhook, WorkflowJobCompleted,
};
use mediator_core::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The events that GitHub documents under "Webhook events and payloads", sorted.
const KINDS: [&str; 75] = [
    "branch_protection_configuration",
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "code_scanning_alert",
    "commit_comment",
    "create",
    "custom_property",
    "custom_property_values",
    "delete",
    "dependabot_alert",
    "deploy_key",
    "deployment",
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "github_app_authorization",
    "gollum",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_comment",
    "issue_dependencies",
    "issues",
    "label",
    "marketplace_purchase",
    "member",
    "membership",
    "merge_group",
    "meta",
    "milestone",
    "org_block",
    "organization",
    "package",
    "page_build",
    "personal_access_token_request",
    "ping",
    "project",
    "project_card",
    "project_column",
    "projects_v2",
    "projects_v2_item",
    "projects_v2_status_update",
    "public",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "registry_package",
    "release",
    "repository",
    "repository_advisory",
    "repository_dispatch",
    "repository_import",
    "repository_ruleset",
    "repository_vulnerability_alert",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "secret_scanning_scan",
    "security_advisory",
    "security_and_analysis",
    "sponsorship",
    "star",
    "status",
    "sub_issues",
    "team",
    "team_add",
    "watch",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
];

/// Why something is not a webhook.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// GitHub sends none that is so long.
    #[error("longer than {limit} MiB")]
    TooLong {
        /// In MiB.
        limit: u64,
    },
    /// Somewhere in it.
    #[error("not UTF-8 from byte {} on", .0.valid_up_to() + 1)]
    NotUtf8(#[from] Utf8Error),
    /// No JSON, or something else than an object.
    #[error("not a JSON object: {}", in_line(.0))]
    NotAnObject(#[source] serde_json::Error),
    /// An object, but not one with `event` and `payload`.
    #[error("not a webhook: {0}")]
    NotAWebhook(#[source] serde_json::Error),
    /// Without something that all webhooks of its kind have.
    #[error("not a valid `{kind}` webhook: `payload.{field}` is missing")]
    Missing {
        /// GitHub's name for the event.
        kind: String,
        /// What is missing.
        field: &'static str,
    },
    /// With something of another type than in other webhooks of its kind.
    #[error("not a valid `{kind}` webhook: `payload.{field}`: {source}")]
    WrongType {
        /// GitHub's name for the event.
        kind: String,
        /// Where.
        field: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
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

/// GitHub's own limit for a payload, and so the longest that is read.
pub const MAX_PAYLOAD: u64 = 25 << 20;

/// The event that a webhook is, or why it is none.
pub type Decoded = Result<Box<dyn DynNotification>, Malformed>;

/// The event that a line of input, `{"event": …, "payload": {…}}`, stands for.
///
/// # Errors
///
/// If it is not such a line, or the payload lacks what its kind of event must have.
pub fn decode_line(line: &[u8]) -> Decoded {
    Webhook::deserialize(object(line)?).map_err(Malformed::NotAWebhook)?.event()
}

/// The event that a delivery stands for, of its header `X-GitHub-Event` and its body.
///
/// # Errors
///
/// As for [`decode_line`].
pub fn decode(kind: &str, payload: &[u8]) -> Decoded {
    Webhook { kind: kind.to_owned(), payload: object(payload)? }.event()
}

fn object(text: &[u8]) -> Result<Map<String, Value>, Malformed> {
    serde_json::from_str(str::from_utf8(text)?).map_err(Malformed::NotAnObject)
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
            _ => self.other(),
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
            _ => self.other()?,
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
            _ => self.other()?,
        })
    }

    /// The event of the one `action` that matters among those of this kind.
    fn on<E: Notification>(&self, action: &str, event: impl FnOnce(String, String) -> Result<E, Malformed>) -> Decoded {
        if self.action()? != action {
            return self.other();
        }
        Ok(Box::new(event(self.repository()?, self.sender()?)?))
    }

    /// The event of a webhook that no module reacts to.
    fn other(&self) -> Decoded {
        if KINDS.binary_search(&self.kind.as_str()).is_err() {
            return Ok(self.unknown());
        }
        let (action, repository) = (self.optional("action")?, self.optional("repository.full_name")?);
        Ok(Box::new(OtherWebhook::new(self.kind.clone(), action, repository, self.optional("sender.login")?)))
    }

    /// Nothing is expected of what nobody has documented.
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

    /// The same of a field that not every webhook of the kind has.
    fn optional(&self, path: &'static str) -> Result<Option<String>, Malformed> {
        let outermost = path.split('.').next().unwrap_or(path);
        match self.payload.get(outermost) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.get(path).map(Some),
        }
    }

    fn find(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let outermost = self.payload.get(keys.next()?)?;
        keys.try_fold(outermost, |value, key| value.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_sorted() {
        assert!(KINDS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn what_is_documented_is_typed_and_the_rest_is_unknown() {
        let line = |kind: &str| format!(r#"{{"event": "{kind}", "payload": {{"sender": {{"login": "ada"}}}}}}"#);
        let ping = decode_line(line("ping").as_bytes()).unwrap();
        let ping = ping.downcast_ref::<OtherWebhook>().unwrap();
        assert_eq!((&*ping.kind, ping.sender.as_deref(), &ping.repository), ("ping", Some("ada"), &None));
        assert!(decode_line(line("telepathy").as_bytes()).unwrap().downcast_ref::<UnknownWebhook>().is_some());
    }

    #[test]
    fn what_is_documented_is_checked() {
        let bad = decode("ping", br#"{"sender": {"login": 7}}"#).unwrap_err();
        assert!(bad.to_string().starts_with("not a valid `ping` webhook: `payload.sender.login`"), "{bad}");
    }
}
