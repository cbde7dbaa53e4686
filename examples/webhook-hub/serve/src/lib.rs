//! The webhook hub as a service: takes GitHub's deliveries, records each with its events before it answers, and lets the modules
//! handle them durably; with an operator's page, health checks, metrics and a log.

mod database;
mod findings;
mod http;
mod log;
mod page;
mod server;
mod signature;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use hub_events::{Notebook, Report, ReportDue};
use mediator_core::prelude::*;
use mediator_nats::NatsBridge;
use mediator_outbox::Outbox;
use mediator_outbox::store::{PostgresStore, SqliteStore};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::database::{Database, SqlNotebook};
use crate::findings::Findings;
use crate::http::Hub;
use crate::signature::Secret;

mediator_core::link_modules!();

/// The options of `webhook-hub serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where to listen. On an address that others can reach, a secret is required.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub addr: SocketAddr,

    /// The file with the webhook's secret, by which GitHub signs.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// `sqlite://FILE` or `postgres://…`.
    #[arg(long, value_name = "URL", default_value = "sqlite://hub.db")]
    pub database: String,

    /// A NATS server with JetStream, by which other services learn of builds that failed: `hub.build_failed`.
    #[arg(long, value_name = "URL")]
    pub nats: Option<String>,
}

/// Everything ends within this time after SIGTERM: requests, then handlers.
const DEADLINE: Duration = Duration::from_secs(10);

/// How soon a restarted hub takes up what a killed one was doing.
const LEASE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
///
/// If the secret cannot be read, the database or NATS cannot be reached, the address is taken, or the modules do not fit together.
pub async fn serve(options: &Options) -> anyhow::Result<()> {
    log::install()?;
    let secret = secret(options)?;
    match options.database.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => run::<SqliteStore>(options, secret).await,
        Some("postgres" | "postgresql") => run::<PostgresStore>(options, secret).await,
        _ => bail!("`{}` is no database of a known kind; say `sqlite://FILE` or `postgres://…`", options.database),
    }
}

fn secret(options: &Options) -> anyhow::Result<Option<Secret>> {
    let Some(file) = &options.secret_file else {
        if options.addr.ip().is_loopback() {
            return Ok(None);
        }
        bail!(
            "others can reach {}, and without a secret everybody could send webhooks; add `--secret-file`",
            options.addr
        );
    };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the secret in {}", file.display()))?;
    let secret = text.trim();
    anyhow::ensure!(!secret.is_empty(), "the secret in {} is empty", file.display());
    Ok(Some(Secret::new(secret)))
}

async fn run<D: Database>(options: &Options, secret: Option<Secret>) -> anyhow::Result<()> {
    let metrics = record_metrics()?;
    let (outbox, pool) =
        D::open(&options.database).await.with_context(|| format!("cannot open {}", options.database))?;
    let nats = match &options.nats {
        Some(url) => Some(NatsBridge::connect(url, "webhook-hub").await?),
        None => None,
    };
    let report = Arc::<Report>::default();
    let mediator = mediator(&outbox, nats, pool.clone(), report.clone())?;
    let worker = outbox.worker(&mediator).lease(LEASE).start();

    let listener =
        TcpListener::bind(options.addr).await.with_context(|| format!("cannot listen on {}", options.addr))?;
    let (stop, stopped) = watch::channel(false);
    let findings = Findings::new(pool, mediator.clone(), report);
    let dashboard = page::dashboard(&outbox, &mediator, findings, &listener.local_addr()?, stopped.clone());
    let hub = Hub { outbox, mediator, secret, metrics, stopped };
    println!("listening on http://{}", listener.local_addr()?);

    let until = async move {
        terminated().await;
        stop.send_replace(true);
    };
    // Half of the time for requests, half for handlers.
    server::serve(listener, http::router(hub).merge(dashboard), until, DEADLINE / 2).await?;
    worker.shutdown(DEADLINE / 2).await;
    Ok(())
}

/// With the modules, except the audit log: that is kept in memory, and here in the table of deliveries.
fn mediator<D: Database>(
    outbox: &Outbox<D>,
    nats: Option<NatsBridge>,
    pool: D::Pool,
    report: Arc<Report>,
) -> Result<Mediator, BuildError> {
    let notebook: Arc<dyn Notebook> = Arc::new(SqlNotebook { outbox: outbox.clone(), pool });
    let builder = Mediator::builder().discover_where(|registration| registration.crate_name() != "hub_audit");
    let builder = builder.provide(report).provide(notebook).outbox(outbox.clone()).require_handler::<ReportDue>();
    match nats {
        Some(nats) => builder.external(nats).build(),
        None => builder.without_external().build(),
    }
}

fn record_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0];
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("duration".into()), &seconds)?;
    let metrics = builder.install_recorder()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    Ok(metrics)
}

async fn terminated() {
    let (mut term, mut int) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(term), Ok(int)) => (term, int),
        // Then they end the process at once, as they do by themselves.
        _ => return std::future::pending().await,
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
