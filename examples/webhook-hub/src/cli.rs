//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Some webhooks were malformed, or a handler failed.
pub(crate) const FAILURES: u8 = 1;
/// Nothing could be replayed, or not all of it could be read. Also clap's code for wrong usage.
pub(crate) const UNUSABLE: u8 = 2;
/// An input had no webhooks in it.
pub(crate) const EMPTY: u8 = 3;

const AFTER_HELP: &str = "\
Without a command, webhooks that come with the program are replayed.

Input is one JSON object a line, `{\"event\": <the X-GitHub-Event header>, \"payload\": {…}}`. Blank lines are skipped.
A line that is not such an object, lacks what its kind of event must have, is not UTF-8 or is longer than 25 MiB is
malformed: it is reported with its file and number on standard error, and the replay goes on.

The summary counts each webhook once, as published (all handlers succeeded) or failed; `unknown` says how many of these
are of a kind that GitHub does not document.

Exit codes:
  0  every webhook was published and handled
  1  a line was malformed or a handler failed
  2  wrong usage, or an input could not be opened or read to its end
  3  an input was empty
Of several that apply, 2 goes before 1, and 1 before 3.";

/// Replays GitHub webhooks to modules that know nothing of each other, and shows what they found.
#[derive(Debug, Parser)]
#[command(name = "webhook-hub", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How the handlers of a webhook are run.
    #[arg(long, global = true, value_name = "STRATEGY", default_value = "sequential")]
    pub(crate) publisher: Strategy,

    /// Print the summary as one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay webhooks from files.
    #[command(after_help = AFTER_HELP)]
    Replay {
        /// The files, in order; `-` is standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show which module handles which event, in which order.
    Topology {
        /// What to show it as.
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Receive webhooks from GitHub, handle them durably, and show an operator's page.
    #[cfg(feature = "serve")]
    Serve(hub_serve::Options),
    /// Receive webhooks from GitHub; needs the feature `serve`.
    #[cfg(not(feature = "serve"))]
    Serve(NotBuilt),
}

/// Any options.
#[cfg(not(feature = "serve"))]
#[derive(Debug, clap::Args)]
pub(crate) struct NotBuilt {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _options: Vec<std::ffi::OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// A picture for Markdown.
    Mermaid,
    /// A picture for Graphviz.
    Dot,
    /// For programs.
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Strategy {
    /// One after another; the first failure stops.
    Sequential,
    /// All at once; everyone is started.
    Group,
}
