//! One observer for all webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;

use hub_events::{Report, as_webhook};
use mediator_core::prelude::*;
use parking_lot::Mutex;

// First in line: what another module makes of a webhook cannot keep it out of the log.
#[event_handler(dyn DynNotification, order = -100)]
struct AuditLog {
    report: Arc<Report>,
    #[inject(default)]
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    webhooks: usize,
    repositories: BTreeSet<String>,
    senders: BTreeSet<String>,
}

impl EventHandler<dyn DynNotification> for AuditLog {
    async fn handle(&self, event: &dyn DynNotification) {
        let Some(webhook) = as_webhook(event) else { return };
        let mut log = self.log.lock();
        log.webhooks += 1;
        log.repositories.extend(webhook.repository().map(str::to_owned));
        log.senders.extend(webhook.sender().map(str::to_owned));
        self.report.set("audit", "webhooks", log.webhooks);
        self.report.set("audit", "repositories", log.repositories.len());
        self.report.set("audit", "senders", log.senders.len());
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use hub_events::{RepositoryStarred, UnknownWebhook};

    use super::*;

    #[test]
    fn webhooks_are_logged_whether_understood_or_not() {
        let report = Arc::<Report>::default();
        let mediator = Mediator::builder().provide(report.clone()).without_external().build().unwrap();

        block_on(mediator.publish(RepositoryStarred::new("ada/engine".into(), "charles".into()))).unwrap();
        block_on(mediator.publish(UnknownWebhook::new("ping".into(), None, None, Some("ada".into())))).unwrap();

        assert_eq!(report.get("audit", "webhooks"), Some(2.into()));
        assert_eq!(report.get("audit", "repositories"), Some(1.into()));
        assert_eq!(report.get("audit", "senders"), Some(2.into()));
    }
}
