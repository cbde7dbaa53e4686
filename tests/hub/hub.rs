//! `webhook-hub serve` by itself.

use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: hub_serve::Options,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    hub_serve::serve(&Cli::parse().options).await
}
