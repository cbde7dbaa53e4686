//! Counts builds, and publishes those that failed.

use std::sync::Arc;

use hub_events::{BuildFailed, CheckRunCompleted, ReplayFinished, Report, WorkflowJobCompleted};
use mediator_core::prelude::*;
use parking_lot::Mutex;

#[derive(Inject)]
struct Builds {
    report: Arc<Report>,
    #[inject(default)]
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    inconclusive: usize,
}

#[event_handlers]
impl Builds {
    async fn check_run_completed(&self, event: &CheckRunCompleted, publisher: &Publisher) -> Result<(), PublishError> {
        self.completed(&event.repository, &event.check, &event.conclusion, publisher).await
    }

    async fn workflow_job_completed(
        &self,
        event: &WorkflowJobCompleted,
        publisher: &Publisher,
    ) -> Result<(), PublishError> {
        self.completed(&event.repository, &event.job, &event.conclusion, publisher).await
    }

    fn replay_finished(&self, _event: &ReplayFinished) {
        let tally = self.tally.lock();
        self.report.set("ci", "builds passed", tally.passed);
        self.report.set("ci", "builds failed", tally.failed);
        self.report.set("ci", "builds without a verdict", tally.inconclusive);
    }
}

impl Builds {
    async fn completed(
        &self,
        repository: &str,
        build: &str,
        conclusion: &str,
        publisher: &Publisher,
    ) -> Result<(), PublishError> {
        match conclusion {
            "success" => self.tally.lock().passed += 1,
            "failure" | "timed_out" | "startup_failure" => {
                self.tally.lock().failed += 1;
                publisher.publish(BuildFailed::new(repository.to_owned(), build.to_owned())).await?;
            }
            _ => self.tally.lock().inconclusive += 1,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use mediator_core::testing::{Recorder, assert_published_once};

    use super::*;

    #[test]
    fn only_failed_builds_are_told_to_the_others() {
        let (report, recorder) = (Arc::<Report>::default(), Recorder::new());
        let mediator = Mediator::builder().provide(report.clone()).recorder(&recorder).build().unwrap();
        let check = |name: &str, conclusion: &str| {
            CheckRunCompleted::new("ada/engine".into(), "ada".into(), name.into(), conclusion.into())
        };

        block_on(async {
            mediator.publish(check("lint", "failure")).await?;
            mediator.publish(check("test", "success")).await?;
            mediator.publish(check("docs", "neutral")).await?;
            mediator.publish(ReplayFinished::new()).await
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
