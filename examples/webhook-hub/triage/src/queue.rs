//! The queue of things to look at.

use std::sync::Arc;

use hub_events::{
    BuildFailed, Change, IssueClosed, IssueLabeled, IssueOpened, IssueReopened, Notebook, NotebookError,
    PullRequestClosed, PullRequestMerged, PullRequestOpened, PullRequestReopened, PullRequestReviewed, Report,
    ReportDue, total,
};
use mediator_core::DeliveryInfo;
use mediator_core::prelude::*;

#[derive(Inject)]
struct Triage {
    notebook: Arc<dyn Notebook>,
    report: Arc<Report>,
}

const OPEN_ISSUES: &str = "triage/open issues";
const UNLABELED_ISSUES: &str = "triage/issues without a label";
const PULL_REQUESTS: &str = "triage/pull requests to review";
const FAILED_BUILDS: &str = "triage/failed builds to look at";

type Noted = Result<(), NotebookError>;

#[event_handlers]
impl Triage {
    #[event_handler(durable, name = "triage.issue_opened")]
    async fn issue_opened(&self, event: &IssueOpened, delivery: &DeliveryInfo) -> Noted {
        let issue = item(&event.repository, event.number);
        let mut changes = vec![Change::put(OPEN_ISSUES, &issue)];
        changes.extend(event.labels.is_empty().then(|| Change::put(UNLABELED_ISSUES, &issue)));
        self.note(delivery, changes).await
    }

    #[event_handler(durable, name = "triage.issue_labeled")]
    async fn issue_labeled(&self, event: &IssueLabeled, delivery: &DeliveryInfo) -> Noted {
        let issue = item(&event.repository, event.number);
        self.note(delivery, vec![Change::take(UNLABELED_ISSUES, issue)]).await
    }

    #[event_handler(durable, name = "triage.issue_closed")]
    async fn issue_closed(&self, event: &IssueClosed, delivery: &DeliveryInfo) -> Noted {
        let issue = item(&event.repository, event.number);
        self.note(delivery, vec![Change::take(OPEN_ISSUES, &issue), Change::take(UNLABELED_ISSUES, &issue)]).await
    }

    #[event_handler(durable, name = "triage.issue_reopened")]
    async fn issue_reopened(&self, event: &IssueReopened, delivery: &DeliveryInfo) -> Noted {
        self.note(delivery, vec![Change::put(OPEN_ISSUES, item(&event.repository, event.number))]).await
    }

    #[event_handler(durable, name = "triage.pull_request_opened")]
    async fn pull_request_opened(&self, event: &PullRequestOpened, delivery: &DeliveryInfo) -> Noted {
        self.note(delivery, vec![Change::put(PULL_REQUESTS, item(&event.repository, event.number))]).await
    }

    #[event_handler(durable, name = "triage.pull_request_reopened")]
    async fn pull_request_reopened(&self, event: &PullRequestReopened, delivery: &DeliveryInfo) -> Noted {
        self.note(delivery, vec![Change::put(PULL_REQUESTS, item(&event.repository, event.number))]).await
    }

    #[event_handler(durable, name = "triage.pull_request_reviewed")]
    async fn pull_request_reviewed(&self, event: &PullRequestReviewed, delivery: &DeliveryInfo) -> Noted {
        self.needs_no_review(delivery, &event.repository, event.number).await
    }

    #[event_handler(durable, name = "triage.pull_request_closed")]
    async fn pull_request_closed(&self, event: &PullRequestClosed, delivery: &DeliveryInfo) -> Noted {
        self.needs_no_review(delivery, &event.repository, event.number).await
    }

    #[event_handler(durable, name = "triage.pull_request_merged")]
    async fn pull_request_merged(&self, event: &PullRequestMerged, delivery: &DeliveryInfo) -> Noted {
        self.needs_no_review(delivery, &event.repository, event.number).await
    }

    // The same failure may be told twice, each time as an event of its own.
    #[event_handler(durable, name = "triage.build_failed")]
    async fn build_failed(&self, event: &BuildFailed) -> Noted {
        let change = Change::count(FAILED_BUILDS, &event.repository);
        self.notebook.write(&format!("{}/triage.build_failed", event.told_by), vec![change]).await
    }

    async fn report_due(&self, _event: &ReportDue) -> Noted {
        for topic in [OPEN_ISSUES, UNLABELED_ISSUES, PULL_REQUESTS, FAILED_BUILDS] {
            let notes = self.notebook.read(topic).await?;
            self.report.set("triage", &topic["triage/".len()..], total(&notes));
        }
        Ok(())
    }
}

impl Triage {
    async fn note(&self, delivery: &DeliveryInfo, changes: Vec<Change>) -> Noted {
        self.notebook.write(delivery.idempotency_key(), changes).await
    }

    async fn needs_no_review(&self, delivery: &DeliveryInfo, repository: &str, number: u64) -> Noted {
        self.note(delivery, vec![Change::take(PULL_REQUESTS, item(repository, number))]).await
    }
}

/// An issue or a pull request.
fn item(repository: &str, number: u64) -> String {
    format!("{repository}#{number}")
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use hub_events::MemoryNotebook;
    use mediator_core::MediatorBuilder;

    use super::*;

    fn hub(report: &Arc<Report>) -> MediatorBuilder {
        let notebook: Arc<dyn Notebook> = Arc::<MemoryNotebook>::default();
        Mediator::builder().provide(report.clone()).provide(notebook).durable_inline()
    }

    #[test]
    fn what_somebody_has_looked_at_leaves_the_queue() {
        let report = Arc::<Report>::default();
        let mediator = hub(&report).build().unwrap();
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
            mediator.publish(ReportDue::new()).await
        })
        .unwrap();

        assert_eq!(report.get("triage", "open issues"), Some(2.into()));
        assert_eq!(report.get("triage", "issues without a label"), Some(1.into()));
        assert_eq!(report.get("triage", "pull requests to review"), Some(0.into()));
    }
}
