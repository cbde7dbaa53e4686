//! Counts what people do.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hub_events::{
    Change, CommitCommented, CommitsPushed, IssueCommented, Notebook, NotebookError, PullRequestMerged,
    PullRequestReviewed, Report, ReportDue, RepositoryForked, RepositoryStarred, ReviewCommented, total,
};
use mediator_core::DeliveryInfo;
use mediator_core::prelude::*;

/// So many people are reported by name.
const MOST_ACTIVE: usize = 5;

#[derive(Inject)]
struct People {
    notebook: Arc<dyn Notebook>,
    report: Arc<Report>,
}

const COMMITS: &str = "contributors/by/commits";
const PULL_REQUESTS: &str = "contributors/by/pull requests";
const REVIEWS: &str = "contributors/by/reviews";
const COMMENTS: &str = "contributors/by/comments";
const STARS: &str = "contributors/stars";
const FORKS: &str = "contributors/forks";

#[derive(Default)]
struct Contributions {
    commits: i64,
    pull_requests: i64,
    reviews: i64,
    comments: i64,
}

type Noted = Result<(), NotebookError>;

#[event_handlers]
impl People {
    #[event_handler(durable, name = "contributors.commits_pushed")]
    async fn commits_pushed(&self, event: &CommitsPushed, delivery: &DeliveryInfo) -> Noted {
        let changes = event.authors.iter().map(|author| Change::count(COMMITS, author)).collect();
        self.notebook.write(delivery.idempotency_key(), changes).await
    }

    #[event_handler(durable, name = "contributors.pull_request_merged")]
    async fn pull_request_merged(&self, event: &PullRequestMerged, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, PULL_REQUESTS, &event.author).await
    }

    #[event_handler(durable, name = "contributors.pull_request_reviewed")]
    async fn pull_request_reviewed(&self, event: &PullRequestReviewed, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, REVIEWS, &event.sender).await
    }

    #[event_handler(durable, name = "contributors.commit_commented")]
    async fn commit_commented(&self, event: &CommitCommented, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, COMMENTS, &event.sender).await
    }

    #[event_handler(durable, name = "contributors.issue_commented")]
    async fn issue_commented(&self, event: &IssueCommented, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, COMMENTS, &event.sender).await
    }

    #[event_handler(durable, name = "contributors.review_commented")]
    async fn review_commented(&self, event: &ReviewCommented, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, COMMENTS, &event.sender).await
    }

    #[event_handler(durable, name = "contributors.repository_starred")]
    async fn repository_starred(&self, event: &RepositoryStarred, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, STARS, &event.repository).await
    }

    #[event_handler(durable, name = "contributors.repository_forked")]
    async fn repository_forked(&self, event: &RepositoryForked, delivery: &DeliveryInfo) -> Noted {
        self.count(delivery, FORKS, &event.repository).await
    }

    async fn report_due(&self, _event: &ReportDue) -> Noted {
        let people = self.people().await?;
        self.report.set("contributors", "contributors", people.len());
        self.report.set("contributors", "stars", total(&self.notebook.read(STARS).await?));
        self.report.set("contributors", "forks", total(&self.notebook.read(FORKS).await?));
        let mut most_active: Vec<_> = people.iter().collect();
        most_active.sort_by_key(|(_, contributions)| Reverse(contributions.total()));
        for (name, contributions) in most_active.into_iter().take(MOST_ACTIVE) {
            self.report.set("contributors", format!("by {name}"), contributions.to_string());
        }
        Ok(())
    }
}

impl People {
    async fn count(&self, delivery: &DeliveryInfo, topic: &str, item: &str) -> Noted {
        self.notebook.write(delivery.idempotency_key(), vec![Change::count(topic, item)]).await
    }

    async fn people(&self) -> Result<BTreeMap<String, Contributions>, NotebookError> {
        let mut people = BTreeMap::<String, Contributions>::new();
        for note in self.notebook.read("contributors/by/").await? {
            let contributions = people.entry(note.item).or_default();
            match note.topic.as_str() {
                COMMITS => contributions.commits += note.count,
                PULL_REQUESTS => contributions.pull_requests += note.count,
                REVIEWS => contributions.reviews += note.count,
                _ => contributions.comments += note.count,
            }
        }
        Ok(people)
    }
}

impl Contributions {
    fn total(&self) -> i64 {
        self.commits + self.pull_requests + self.reviews + self.comments
    }
}

/// `2 commits, 1 review`
impl fmt::Display for Contributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.commits, "commit"),
            (self.pull_requests, "pull request"),
            (self.reviews, "review"),
            (self.comments, "comment"),
        ];
        let mut separator = "";
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{separator}{count} {what}{plural}")?;
            separator = ", ";
        }
        Ok(())
    }
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
    fn contributions_are_counted_by_person() {
        let report = Arc::<Report>::default();
        let mediator = hub(&report).build().unwrap();
        let authors = vec!["ada".to_owned(), "charles".to_owned(), "ada".to_owned()];

        block_on(async {
            let (repository, sender) = ("ada/engine".to_owned(), "ada".to_owned());
            mediator
                .publish(CommitsPushed::new(repository.clone(), sender.clone(), "refs/heads/main".into(), authors))
                .await?;
            mediator.publish(IssueCommented::new(repository, sender, 1)).await?;
            mediator.publish(ReportDue::new()).await
        })
        .unwrap();

        assert_eq!(report.get("contributors", "contributors"), Some(2.into()));
        assert_eq!(report.get("contributors", "by ada"), Some("2 commits, 1 comment".into()));
        assert_eq!(report.get("contributors", "by charles"), Some("1 commit".into()));
    }
}
