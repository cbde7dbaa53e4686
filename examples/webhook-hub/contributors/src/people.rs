//! Counts what people do.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hub_events::{
    CommitCommented, CommitsPushed, IssueCommented, PullRequestMerged, PullRequestReviewed, ReplayFinished, Report,
    RepositoryForked, RepositoryStarred, ReviewCommented,
};
use mediator_core::prelude::*;
use parking_lot::Mutex;

/// So many people are reported by name.
const MOST_ACTIVE: usize = 5;

#[derive(Inject)]
struct People {
    report: Arc<Report>,
    #[inject(default)]
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    contributors: BTreeMap<String, Contributions>,
    stars: usize,
    forks: usize,
}

#[derive(Default)]
struct Contributions {
    commits: usize,
    pull_requests: usize,
    reviews: usize,
    comments: usize,
}

impl People {
    fn note(&self, who: &str, what: impl FnOnce(&mut Contributions)) {
        what(self.state.lock().contributors.entry(who.to_owned()).or_default());
    }
}

#[event_handlers]
impl People {
    fn commits_pushed(&self, event: &CommitsPushed) {
        for author in &event.authors {
            self.note(author, |contributions| contributions.commits += 1);
        }
    }

    fn pull_request_merged(&self, event: &PullRequestMerged) {
        self.note(&event.author, |contributions| contributions.pull_requests += 1);
    }

    fn pull_request_reviewed(&self, event: &PullRequestReviewed) {
        self.note(&event.sender, |contributions| contributions.reviews += 1);
    }

    fn commit_commented(&self, event: &CommitCommented) {
        self.note(&event.sender, |contributions| contributions.comments += 1);
    }

    fn issue_commented(&self, event: &IssueCommented) {
        self.note(&event.sender, |contributions| contributions.comments += 1);
    }

    fn review_commented(&self, event: &ReviewCommented) {
        self.note(&event.sender, |contributions| contributions.comments += 1);
    }

    fn repository_starred(&self, _event: &RepositoryStarred) {
        self.state.lock().stars += 1;
    }

    fn repository_forked(&self, _event: &RepositoryForked) {
        self.state.lock().forks += 1;
    }

    fn replay_finished(&self, _event: &ReplayFinished) {
        let state = self.state.lock();
        self.report.set("contributors", "contributors", state.contributors.len());
        self.report.set("contributors", "stars", state.stars);
        self.report.set("contributors", "forks", state.forks);
        let mut most_active: Vec<_> = state.contributors.iter().collect();
        most_active.sort_by_key(|(_, contributions)| Reverse(contributions.total()));
        for (name, contributions) in most_active.into_iter().take(MOST_ACTIVE) {
            self.report.set("contributors", format!("by {name}"), contributions.to_string());
        }
    }
}

impl Contributions {
    fn total(&self) -> usize {
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

    use super::*;

    #[test]
    fn contributions_are_counted_by_person() {
        let report = Arc::<Report>::default();
        let mediator = Mediator::builder().provide(report.clone()).build().unwrap();
        let authors = vec!["ada".to_owned(), "charles".to_owned(), "ada".to_owned()];

        block_on(async {
            let (repository, sender) = ("ada/engine".to_owned(), "ada".to_owned());
            mediator
                .publish(CommitsPushed::new(repository.clone(), sender.clone(), "refs/heads/main".into(), authors))
                .await?;
            mediator.publish(IssueCommented::new(repository, sender, 1)).await?;
            mediator.publish(ReplayFinished::new()).await
        })
        .unwrap();

        assert_eq!(report.get("contributors", "contributors"), Some(2.into()));
        assert_eq!(report.get("contributors", "by ada"), Some("2 commits, 1 comment".into()));
        assert_eq!(report.get("contributors", "by charles"), Some("1 commit".into()));
    }
}
