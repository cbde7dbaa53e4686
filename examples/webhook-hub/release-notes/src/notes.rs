//! Collects merged pull requests until they are released.

use std::collections::BTreeMap;
use std::sync::Arc;

use hub_events::{PullRequestMerged, ReleasePublished, ReplayFinished, Report};
use mediator_core::prelude::*;
use parking_lot::Mutex;

#[derive(Inject)]
struct ReleaseNotes {
    report: Arc<Report>,
    #[inject(default)]
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Titles of what was merged, by repository.
    unreleased: BTreeMap<String, Vec<String>>,
    /// The notes by release, as `owner/name tag`.
    released: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, thiserror::Error)]
#[error("a release of {repository} has no tag to file its notes under")]
struct NoTag {
    repository: String,
}

#[event_handlers]
impl ReleaseNotes {
    fn pull_request_merged(&self, event: &PullRequestMerged) {
        let note = format!("{} (#{}, by {})", event.title, event.number, event.author);
        self.state.lock().unreleased.entry(event.repository.clone()).or_default().push(note);
    }

    fn release_published(&self, event: &ReleasePublished) -> Result<(), NoTag> {
        if event.tag.trim().is_empty() {
            return Err(NoTag { repository: event.repository.clone() });
        }
        let mut state = self.state.lock();
        let notes = state.unreleased.remove(&event.repository).unwrap_or_default();
        state.released.entry(format!("{} {}", event.repository, event.tag)).or_default().extend(notes);
        Ok(())
    }

    fn replay_finished(&self, _event: &ReplayFinished) {
        let state = self.state.lock();
        self.report.set("release notes", "releases", state.released.len());
        self.report.set("release notes", "changes not released yet", state.unreleased.values().flatten().count());
        for (release, notes) in &state.released {
            let notes = if notes.is_empty() { "no merged pull requests".to_owned() } else { notes.join("\n") };
            self.report.set("release notes", release, notes);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn merged(number: u64, title: &str) -> PullRequestMerged {
        PullRequestMerged::new("ada/engine".into(), "ada".into(), number, title.into(), "charles".into())
    }

    fn release(tag: &str) -> ReleasePublished {
        ReleasePublished::new("ada/engine".into(), "ada".into(), tag.into())
    }

    #[test]
    fn a_release_has_what_was_merged_before_it() {
        let report = Arc::<Report>::default();
        let mediator = Mediator::builder().provide(report.clone()).build().unwrap();

        block_on(async {
            mediator.publish(merged(1, "Add a mill")).await?;
            mediator.publish(release("v1")).await?;
            mediator.publish(merged(2, "Add a store")).await?;
            mediator.publish(ReplayFinished::new()).await
        })
        .unwrap();

        assert_eq!(report.get("release notes", "ada/engine v1"), Some("Add a mill (#1, by charles)".into()));
        assert_eq!(report.get("release notes", "changes not released yet"), Some(1.into()));
    }

    #[test]
    fn a_release_without_a_tag_fails() {
        let mediator = Mediator::builder().provide(Arc::<Report>::default()).build().unwrap();
        let error = block_on(mediator.publish(release(" "))).unwrap_err();
        assert_eq!(error.downcast_ref::<NoTag>().unwrap().repository, "ada/engine");
    }
}
