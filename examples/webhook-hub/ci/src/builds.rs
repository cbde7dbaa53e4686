//! Counts builds, and publishes those that failed.

use std::sync::Arc;

use hub_events::{
    BuildFailed, Change, CheckRunCompleted, Notebook, NotebookError, Report, ReportDue, WorkflowJobCompleted, total,
};
use mediator_core::prelude::*;
use mediator_core::{DeliveryInfo, EventId};

#[derive(Inject)]
struct Builds {
    notebook: Arc<dyn Notebook>,
    report: Arc<Report>,
}

const PASSED: &str = "ci/builds passed";
const FAILED: &str = "ci/builds failed";
const INCONCLUSIVE: &str = "ci/builds without a verdict";

#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Notebook(#[from] NotebookError),
    #[error("the others are not told of a failed build")]
    Publish(#[from] PublishError),
}

#[event_handlers]
impl Builds {
    #[event_handler(durable, name = "ci.check_run_completed")]
    async fn check_run_completed(
        &self,
        event: &CheckRunCompleted,
        delivery: &DeliveryInfo,
        publisher: &Publisher,
    ) -> Result<(), BuildError> {
        let build = Build { repository: &event.repository, name: &event.check, told_by: event.event_id };
        self.completed(build, &event.conclusion, delivery, publisher).await
    }

    #[event_handler(durable, name = "ci.workflow_job_completed")]
    async fn workflow_job_completed(
        &self,
        event: &WorkflowJobCompleted,
        delivery: &DeliveryInfo,
        publisher: &Publisher,
    ) -> Result<(), BuildError> {
        let build = Build { repository: &event.repository, name: &event.job, told_by: event.event_id };
        self.completed(build, &event.conclusion, delivery, publisher).await
    }

    async fn report_due(&self, _event: &ReportDue) -> Result<(), NotebookError> {
        for topic in [PASSED, FAILED, INCONCLUSIVE] {
            let notes = self.notebook.read(topic).await?;
            self.report.set("ci", &topic["ci/".len()..], total(&notes));
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Build<'a> {
    repository: &'a str,
    name: &'a str,
    told_by: EventId,
}

impl Builds {
    async fn completed(
        &self,
        build: Build<'_>,
        conclusion: &str,
        delivery: &DeliveryInfo,
        publisher: &Publisher,
    ) -> Result<(), BuildError> {
        let Build { repository, name, told_by } = build;
        let topic = match conclusion {
            "success" => PASSED,
            "failure" | "timed_out" | "startup_failure" => FAILED,
            _ => INCONCLUSIVE,
        };
        // First the event: after a crash in between it is published again, and whoever handles it knows which build it is of.
        if topic == FAILED {
            publisher.publish(BuildFailed::new(repository.to_owned(), name.to_owned(), told_by)).await?;
        }
        Ok(self.notebook.write(delivery.idempotency_key(), vec![Change::count(topic, repository)]).await?)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use hub_events::MemoryNotebook;
    use mediator_core::MediatorBuilder;
    use mediator_core::testing::{Recorder, assert_published_once};

    use super::*;

    fn hub(report: &Arc<Report>) -> MediatorBuilder {
        let notebook: Arc<dyn Notebook> = Arc::<MemoryNotebook>::default();
        Mediator::builder().provide(report.clone()).provide(notebook).durable_inline()
    }

    #[test]
    fn only_failed_builds_are_told_to_the_others() {
        let (report, recorder) = (Arc::<Report>::default(), Recorder::new());
        let mediator = hub(&report).recorder(&recorder).build().unwrap();
        let check = |name: &str, conclusion: &str| {
            CheckRunCompleted::new("ada/engine".into(), "ada".into(), name.into(), conclusion.into())
        };

        block_on(async {
            mediator.publish(check("lint", "failure")).await?;
            mediator.publish(check("test", "success")).await?;
            mediator.publish(check("docs", "neutral")).await?;
            mediator.publish(ReportDue::new()).await
        })
        .unwrap();

        let failed = assert_published_once!(recorder, BuildFailed);
        assert_eq!((&*failed.build, &*failed.repository), ("lint", "ada/engine"));
        assert_eq!(recorder.records()[1].cause(), Some(0), "it is part of the publish of its check");
        assert_eq!(report.get("ci", "builds passed"), Some(1.into()));
        assert_eq!(report.get("ci", "builds failed"), Some(1.into()));
        assert_eq!(report.get("ci", "builds without a verdict"), Some(1.into()));
    }
}
