//! Collects merged pull requests until they are released.

use std::collections::BTreeMap;
use std::sync::Arc;

use hub_events::{Change, Notebook, NotebookError, PullRequestMerged, ReleasePublished, Report, ReportDue};
use mediator_core::prelude::*;
use mediator_core::{DeliveryInfo, Permanent};

#[derive(Inject)]
struct ReleaseNotes {
    notebook: Arc<dyn Notebook>,
    report: Arc<Report>,
}

const RELEASES: &str = "release notes/releases";
/// What was merged, by repository.
const UNRELEASED: &str = "release notes/unreleased/";
/// The same by release, as `owner/name tag`.
const RELEASED: &str = "release notes/released/";

#[derive(Debug, thiserror::Error)]
#[error("a release of {repository} has no tag to file its notes under")]
struct NoTag {
    repository: String,
}

#[derive(Debug, thiserror::Error)]
enum ReleaseError {
    /// It will have none the next time either.
    #[error("the release is not filed")]
    NoTag(#[from] Permanent),
    #[error(transparent)]
    Notebook(#[from] NotebookError),
}

#[event_handlers]
impl ReleaseNotes {
    #[event_handler(durable, name = "release_notes.pull_request_merged")]
    async fn pull_request_merged(
        &self,
        event: &PullRequestMerged,
        delivery: &DeliveryInfo,
    ) -> Result<(), NotebookError> {
        let note = format!("{} (#{}, by {})", event.title, event.number, event.author);
        let change = Change::put(format!("{UNRELEASED}{}", event.repository), note);
        self.notebook.write(delivery.idempotency_key(), vec![change]).await
    }

    #[event_handler(durable, name = "release_notes.release_published")]
    async fn release_published(&self, event: &ReleasePublished, delivery: &DeliveryInfo) -> Result<(), ReleaseError> {
        let repository = &event.repository;
        if event.tag.trim().is_empty() {
            return Err(Permanent(NoTag { repository: repository.clone() }).into());
        }
        let release = format!("{repository} {}", event.tag);
        let changes = vec![
            Change::put(RELEASES, &release),
            Change::move_all(format!("{UNRELEASED}{repository}"), format!("{RELEASED}{release}")),
        ];
        Ok(self.notebook.write(delivery.idempotency_key(), changes).await?)
    }

    async fn report_due(&self, _event: &ReportDue) -> Result<(), NotebookError> {
        let releases = self.notebook.read(RELEASES).await?;
        let mut released: BTreeMap<String, Vec<String>> =
            releases.into_iter().map(|release| (release.item, Vec::new())).collect();
        for note in self.notebook.read(RELEASED).await? {
            released.entry(note.topic[RELEASED.len()..].to_owned()).or_default().push(note.item);
        }
        let unreleased = self.notebook.read(UNRELEASED).await?;
        self.report.set("release notes", "releases", released.len());
        self.report.set("release notes", "changes not released yet", unreleased.len());
        for (release, notes) in released {
            let notes = if notes.is_empty() { "no merged pull requests".to_owned() } else { notes.join("\n") };
            self.report.set("release notes", release, notes);
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

    fn merged(number: u64, title: &str) -> PullRequestMerged {
        PullRequestMerged::new("ada/engine".into(), "ada".into(), number, title.into(), "charles".into())
    }

    fn release(tag: &str) -> ReleasePublished {
        ReleasePublished::new("ada/engine".into(), "ada".into(), tag.into())
    }

    #[test]
    fn a_release_has_what_was_merged_before_it() {
        let report = Arc::<Report>::default();
        let mediator = hub(&report).build().unwrap();

        block_on(async {
            mediator.publish(merged(1, "Add a mill")).await?;
            mediator.publish(release("v1")).await?;
            mediator.publish(merged(2, "Add a store")).await?;
            mediator.publish(ReportDue::new()).await
        })
        .unwrap();

        assert_eq!(report.get("release notes", "ada/engine v1"), Some("Add a mill (#1, by charles)".into()));
        assert_eq!(report.get("release notes", "changes not released yet"), Some(1.into()));
    }

    #[test]
    fn a_release_without_a_tag_fails() {
        let mediator = hub(&Arc::default()).build().unwrap();
        let error = block_on(mediator.publish(release(" "))).unwrap_err();
        assert_eq!(error.downcast_ref::<NoTag>().unwrap().repository, "ada/engine");
    }
}
