//! What the modules found, for the page.

use std::sync::Arc;

use hub_events::{Report, ReportDue};
use mediator_core::prelude::*;
use mediator_outbox::Outbox;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::database::Database;

pub(crate) struct Findings<D: Database> {
    outbox: Outbox<D>,
    mediator: Mediator,
    /// One at a time writes a report.
    report: Mutex<Arc<Report>>,
}

impl<D: Database> Findings<D> {
    pub(crate) fn new(outbox: Outbox<D>, mediator: Mediator, report: Arc<Report>) -> Arc<Self> {
        Arc::new(Self { outbox, mediator, report: Mutex::new(report) })
    }

    pub(crate) async fn get(&self) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let mut transaction = self.outbox.begin().await?;
        let totals = D::totals(&mut transaction).await?;
        transaction.rollback().await?;
        let report = self.report.lock().await;
        report.clear();
        self.mediator.publish(ReportDue::new()).await?;
        let mut findings = serde_json::to_value(&**report)?;
        findings["deliveries accepted"] = json!({
            "deliveries": totals.deliveries, "repositories": totals.repositories, "senders": totals.senders,
        });
        Ok(findings)
    }
}
