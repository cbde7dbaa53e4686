//! Replays GitHub webhooks, or serves them live: turns each into a typed event and publishes it to modules that know neither each
//! other nor this program.

mod cli;
mod input;
mod replay;
mod summary;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use hub_events::{MemoryNotebook, Notebook, Report, ReportDue};
use mediator_core::prelude::*;

use crate::cli::{Cli, Command, Format, Strategy};
use crate::input::Input;
use crate::summary::Summary;

// A module takes part as soon as it is linked: to add one, list it in Cargo.toml.
mediator_core::link_modules!();

#[cfg_attr(feature = "serve", tokio::main)]
#[cfg_attr(not(feature = "serve"), tokio::main(flavor = "current_thread"))]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(format_args!("error: {error:#}"));
            ExitCode::from(cli::UNUSABLE)
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None => replay(cli, vec![Input::committed()]).await,
        Some(Command::Replay { files }) => replay(cli, open(files)?).await,
        Some(Command::Topology { format }) => show_topology(cli, *format),
        Some(Command::Serve(options)) => serve(options).await,
    }
}

/// All files are opened before the first webhook is published.
fn open(files: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let open = |file: &PathBuf| Input::open(file).with_context(|| format!("cannot open {}", file.display()));
    files.iter().map(open).collect()
}

async fn replay(cli: &Cli, inputs: Vec<Input>) -> anyhow::Result<ExitCode> {
    let report = Arc::<Report>::default();
    let mediator = mediator(cli.publisher, report.clone())?;
    let tally = replay::replay(&mediator, inputs).await;
    let summary = Summary { tally: &tally, modules: &report };
    let text = if cli.json { summary.to_json()? } else { summary.to_table() };
    terminal::print(&text).context("cannot write the summary")?;
    Ok(tally.exit_code())
}

#[cfg(feature = "serve")]
async fn serve(options: &hub_serve::Options) -> anyhow::Result<ExitCode> {
    hub_serve::serve(options).await?;
    Ok(ExitCode::SUCCESS)
}

/// Who only replays need not build a web server and two databases.
#[cfg(not(feature = "serve"))]
async fn serve(_options: &cli::NotBuilt) -> anyhow::Result<ExitCode> {
    anyhow::bail!(
        "this webhook-hub was built without `serve`; run `cargo run -p webhook-hub --features serve -- serve`"
    )
}

fn show_topology(cli: &Cli, format: Format) -> anyhow::Result<ExitCode> {
    let mediator = mediator(cli.publisher, Arc::default())?;
    let topology = mediator.topology();
    let text = match if cli.json { Format::Json } else { format } {
        Format::Table => topology.to_string(),
        Format::Mermaid => topology.to_mermaid(),
        Format::Dot => topology.to_dot(),
        Format::Json => serde_json::to_string_pretty(topology)?,
    };
    terminal::print(text.trim_end()).context("cannot write the topology")?;
    Ok(ExitCode::SUCCESS)
}

fn mediator(strategy: Strategy, report: Arc<Report>) -> Result<Mediator, BuildError> {
    // If no module is linked, there would be nothing to report. Observers, such as the audit log, do not count.
    let notebook: Arc<dyn Notebook> = Arc::<MemoryNotebook>::default();
    let builder = Mediator::builder().provide(report).provide(notebook).require_handler::<ReportDue>();
    // What is replayed can be replayed again: nothing is recorded, each webhook is handled at once.
    let builder = builder.durable_inline();
    match strategy {
        Strategy::Sequential => builder.event_publisher(SequentialEventPublisher),
        Strategy::Group => builder.event_publisher(GroupEventPublisher),
    }
    .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_module_is_missing() {
        mediator_core::testing::assert_modules_linked();
    }
}
