//! The operator's page.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::HOST;
use axum::http::request::Parts;
use mediator_core::prelude::*;
use mediator_dashboard::Dashboard;
use mediator_outbox::Outbox;
use tokio::sync::watch;

use crate::database::Database;
use crate::findings::Findings;

/// For reading; whoever sits at this machine may retry and discard, if the hub listens for this machine alone.
pub(crate) fn dashboard<D: Database>(
    outbox: &Outbox<D>,
    mediator: &Mediator,
    findings: Arc<Findings<D>>,
    address: &SocketAddr,
    mut stopped: watch::Receiver<bool>,
) -> Router {
    let dashboard = Dashboard::new(mediator, outbox)
        .section("What the modules found", move || {
            let findings = findings.clone();
            async move { findings.get().await }
        })
        .live_until(async move { drop(stopped.wait_for(|stopped| *stopped).await) });
    let dashboard = if address.ip().is_loopback() { dashboard.authorize(is_local) } else { dashboard };
    dashboard.into_router()
}

/// Whether the browser was sent to this machine by a name of it, and not by a name of somebody else's that points here.
async fn is_local(request: Parts) -> bool {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}
