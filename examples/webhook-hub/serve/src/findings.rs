//! What the modules found, for the page.

use std::sync::Arc;

use hub_events::{Report, ReportDue};
use mediator_core::prelude::*;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::database::Database;

pub(crate) struct Findings<D: Database> {
    pool: D::Pool,
    mediator: Mediator,
    /// One at a time writes a report.
    report: Mutex<Arc<Report>>,
}

impl<D: Database> Findings<D> {
    pub(crate) fn new(pool: D::Pool, mediator: Mediator, report: Arc<Report>) -> Arc<Self> {
        Arc::new(Self { pool, mediator, report: Mutex::new(report) })
    }

    pub(crate) async fn get(&self) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let totals = D::totals(&self.pool).await?;
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
