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

    use super::*;

    #[derive(Default)]
    struct Alarm(Mutex<Vec<String>>);

    #[event_handler(manual)]
    fn raise(event: &BuildFailed, publisher: &Publisher, alarm: Arc<Alarm>) {
        assert_ne!(publisher.correlation_id(), Some(event.event_id), "it is part of the publish of its check");
        alarm.0.lock().push(format!("{} in {}", event.build, event.repository));
    }

    #[test]
    fn only_failed_builds_are_told_to_the_others() {
        let (report, alarm) = (Arc::<Report>::default(), Arc::<Alarm>::default());
        let builder = Mediator::builder().provide(report.clone()).provide(alarm.clone());
        let mediator = builder.bind_fn(raise).build().unwrap();
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

        assert_eq!(*alarm.0.lock(), ["lint in ada/engine"]);
        assert_eq!(report.get("ci", "builds passed"), Some(1.into()));
        assert_eq!(report.get("ci", "builds failed"), Some(1.into()));
        assert_eq!(report.get("ci", "builds without a verdict"), Some(1.into()));
    }
}
