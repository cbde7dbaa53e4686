//! The queue of things to look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use hub_events::{
    BuildFailed, IssueClosed, IssueLabeled, IssueOpened, IssueReopened, PullRequestClosed, PullRequestMerged,
    PullRequestOpened, PullRequestReopened, PullRequestReviewed, ReplayFinished, Report,
};
use mediator_core::prelude::*;
use parking_lot::Mutex;

#[derive(Inject)]
struct Triage {
    report: Arc<Report>,
    #[inject(default)]
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    open_issues: BTreeSet<Item>,
    unlabeled_issues: BTreeSet<Item>,
    unreviewed_pull_requests: BTreeSet<Item>,
    failed_builds: usize,
}

/// An issue or a pull request: its repository and number.
type Item = (String, u64);

#[event_handlers]
impl Triage {
    fn issue_opened(&self, event: &IssueOpened) {
        let issue = (event.repository.clone(), event.number);
        let mut queue = self.queue.lock();
        if event.labels.is_empty() {
            queue.unlabeled_issues.insert(issue.clone());
        }
        queue.open_issues.insert(issue);
    }

    fn issue_labeled(&self, event: &IssueLabeled) {
        self.queue.lock().unlabeled_issues.remove(&(event.repository.clone(), event.number));
    }

    fn issue_closed(&self, event: &IssueClosed) {
        let issue = (event.repository.clone(), event.number);
        let mut queue = self.queue.lock();
        queue.open_issues.remove(&issue);
        queue.unlabeled_issues.remove(&issue);
    }

    fn issue_reopened(&self, event: &IssueReopened) {
        self.queue.lock().open_issues.insert((event.repository.clone(), event.number));
    }

    fn pull_request_opened(&self, event: &PullRequestOpened) {
        self.queue.lock().unreviewed_pull_requests.insert((event.repository.clone(), event.number));
    }

    fn pull_request_reopened(&self, event: &PullRequestReopened) {
        self.queue.lock().unreviewed_pull_requests.insert((event.repository.clone(), event.number));
    }

    fn pull_request_reviewed(&self, event: &PullRequestReviewed) {
        self.needs_no_review(&event.repository, event.number);
    }

    fn pull_request_closed(&self, event: &PullRequestClosed) {
        self.needs_no_review(&event.repository, event.number);
    }

    fn pull_request_merged(&self, event: &PullRequestMerged) {
        self.needs_no_review(&event.repository, event.number);
    }

    fn build_failed(&self, _event: &BuildFailed) {
        self.queue.lock().failed_builds += 1;
    }

    fn replay_finished(&self, _event: &ReplayFinished) {
        let queue = self.queue.lock();
        self.report.set("triage", "open issues", queue.open_issues.len());
        self.report.set("triage", "issues without a label", queue.unlabeled_issues.len());
        self.report.set("triage", "pull requests to review", queue.unreviewed_pull_requests.len());
        self.report.set("triage", "failed builds to look at", queue.failed_builds);
    }
}

impl Triage {
    fn needs_no_review(&self, repository: &str, number: u64) {
        self.queue.lock().unreviewed_pull_requests.remove(&(repository.to_owned(), number));
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn what_somebody_has_looked_at_leaves_the_queue() {
        let report = Arc::<Report>::default();
        let mediator = Mediator::builder().provide(report.clone()).build().unwrap();
        let (repository, sender) = (|| "ada/engine".to_owned(), || "ada".to_owned());

        block_on(async {
            for number in 1..=3 {
                let title = format!("Bug {number}");
                mediator.publish(IssueOpened::new(repository(), sender(), number, title, Vec::new())).await?;
            }
            mediator.publish(IssueLabeled::new(repository(), sender(), 2, "bug".into())).await?;
            mediator.publish(IssueClosed::new(repository(), sender(), 3)).await?;
            mediator.publish(PullRequestOpened::new(repository(), sender(), 4, "Fix".into())).await?;
            mediator.publish(PullRequestReviewed::new(repository(), sender(), 4, "approved".into())).await?;
            mediator.publish(ReplayFinished::new()).await
        })
        .unwrap();

        assert_eq!(report.get("triage", "open issues"), Some(2.into()));
        assert_eq!(report.get("triage", "issues without a label"), Some(1.into()));
        assert_eq!(report.get("triage", "pull requests to review"), Some(0.into()));
    }
}
