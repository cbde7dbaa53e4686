//! A command line for operators (feature `cli`): what waits, runs or is dead, and what to do about it.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use mediator_outbox::SqliteOutbox;
//! # async fn connect() -> SqliteOutbox { unimplemented!() }
//!
//! # async fn run() -> ExitCode {
//! // fn main() of a program of its own: `deliveries list --state dead`
//! let outbox = connect().await;
//! mediator_outbox::cli::run(&outbox).await
//! # }
//! ```
//!
//! An application that has commands already takes [`Command`] as a subcommand:
//!
//! ```no_run
//! use mediator_outbox::cli::Command;
//!
//! #[derive(clap::Parser)]
//! enum App {
//!     Serve,
//!     #[command(subcommand)]
//!     Deliveries(Command),
//! }
//! ```

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mediator_core::EventId;
use mediator_core::durable::OutboxError;
use serde::Serialize;

use crate::BoxError;
use crate::operations::{Deliveries, Stats};
use crate::outbox::Outbox;
use crate::store::{Delivery, DeliveryId, State, Store};

/// Runs the command that the program was given, prints what it finds, and says whether it could.
///
/// Without arguments, or with wrong ones, it prints how it is used and exits.
pub async fn run<S: Store>(outbox: &Outbox<S>) -> ExitCode {
    let Program { command } = Program::parse();
    match command.run(outbox, &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", crate::error::full_text(&error));
            ExitCode::FAILURE
        }
    }
}

/// The deliveries to durable handlers.
#[derive(Debug, Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

/// What an operator can ask for.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Lists deliveries in the order of their recording.
    List(List),
    /// Shows one delivery, with its event.
    Show(Show),
    /// Makes dead deliveries ready again.
    Retry(Change),
    /// Deletes dead deliveries.
    Discard(Change),
    /// Counts the deliveries of each handler.
    Stats(Format),
}

/// Which deliveries are listed.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// Only those in this state
    #[arg(long)]
    state: Option<StateName>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Only those behind the one with this number: the next page
    #[arg(long)]
    after: Option<DeliveryId>,
    #[command(flatten)]
    format: Format,
}

/// Which delivery is shown.
#[derive(Debug, Args)]
pub struct Show {
    /// Its number
    delivery: DeliveryId,
    #[command(flatten)]
    format: Format,
}

/// Which dead deliveries are changed.
#[derive(Debug, Args)]
pub struct Change {
    #[command(flatten)]
    which: Which,
    /// All of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Default, PartialEq, Eq, Args)]
struct Which {
    /// Only the one with this number
    #[arg(long)]
    id: Option<DeliveryId>,
    /// Only those to this handler
    #[arg(long)]
    handler: Option<String>,
    /// Only those of events of this name
    #[arg(long)]
    event: Option<String>,
    /// Only those of the event with this id
    #[arg(long)]
    event_id: Option<EventId>,
    /// Only those recorded so many seconds ago, or longer
    #[arg(long, value_name = "SECONDS")]
    older_than: Option<u64>,
}

/// How it is printed.
#[derive(Debug, Args)]
pub struct Format {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateName {
    Ready,
    Running,
    Waiting,
    Dead,
    Done,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Ready => Self::Ready,
            StateName::Running => Self::Running,
            StateName::Waiting => Self::Waiting,
            StateName::Dead => Self::Dead,
            StateName::Done => Self::Done,
        }
    }
}

impl Which {
    fn of<S: Store>(&self, outbox: &Outbox<S>) -> Deliveries<S> {
        let mut deliveries = outbox.deliveries();
        if let Some(id) = self.id {
            deliveries = deliveries.with_id(id);
        }
        if let Some(handler) = &self.handler {
            deliveries = deliveries.to_handler(handler);
        }
        if let Some(event) = &self.event {
            deliveries = deliveries.of_event(event);
        }
        if let Some(event_id) = self.event_id {
            deliveries = deliveries.of_event_id(event_id);
        }
        if let Some(seconds) = self.older_than {
            deliveries = deliveries.older_than(Duration::from_secs(seconds));
        }
        deliveries
    }
}

impl Change {
    fn deliveries<S: Store>(&self, outbox: &Outbox<S>) -> Result<Deliveries<S>, &'static str> {
        // Not all of them by accident.
        if self.which == Which::default() && !self.all {
            return Err("which ones? say so, as by `--handler`, or `--all`");
        }
        Ok(self.which.of(outbox))
    }
}

type Done = Result<(), BoxError>;

impl Command {
    /// Runs the command, and prints to `out`.
    ///
    /// # Errors
    ///
    /// When the store cannot do it, `out` cannot be written to, or there is no such delivery.
    pub async fn run<S: Store>(self, outbox: &Outbox<S>, out: &mut (dyn Write + Send)) -> Result<(), OutboxError> {
        self.run_boxed(outbox, out).await.map_err(OutboxError::new)
    }

    async fn run_boxed<S: Store>(self, outbox: &Outbox<S>, out: &mut (dyn Write + Send)) -> Done {
        match self {
            Self::List(list) => list.run(outbox, out).await,
            Self::Show(show) => show.run(outbox, out).await,
            Self::Retry(change) => {
                let count = change.deliveries(outbox)?.retry().await?;
                tell_count(out, &change.format, "retried", count)
            }
            Self::Discard(change) => {
                let count = change.deliveries(outbox)?.discard().await?;
                tell_count(out, &change.format, "discarded", count)
            }
            Self::Stats(format) => print_stats(out, &format, &outbox.stats().await?),
        }
    }
}

impl List {
    async fn run<S: Store>(self, outbox: &Outbox<S>, out: &mut (dyn Write + Send)) -> Done {
        let mut deliveries = self.which.of(outbox).limit(self.limit);
        if let Some(state) = self.state {
            deliveries = deliveries.in_state(state.into());
        }
        if let Some(after) = self.after {
            deliveries = deliveries.after(after);
        }
        let deliveries = deliveries.list().await?;
        if self.format.json {
            return print_json(out, &deliveries);
        }
        deliveries.iter().try_for_each(|delivery| print_line(out, delivery))?;
        if deliveries.len() == self.limit as usize {
            let last = deliveries.last().map_or(0, |delivery| delivery.id);
            writeln!(out, "there may be more: --after {last}")?;
        }
        Ok(())
    }
}

/// A delivery with its event.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    delivery: Delivery,
    payload: Option<serde_json::Value>,
}

impl Show {
    async fn run<S: Store>(self, outbox: &Outbox<S>, out: &mut (dyn Write + Send)) -> Done {
        let deliveries = outbox.deliveries().with_id(self.delivery);
        let delivery = deliveries.list().await?.pop();
        let delivery = delivery.ok_or_else(|| format!("there is no delivery {}", self.delivery))?;
        let event = deliveries.event(self.delivery).await?;
        if self.format.json {
            // What is no JSON, as after rows are changed by hand, is shown as it is.
            let payload = event.map(|event| serde_json::from_str(&event.payload).unwrap_or(event.payload.into()));
            return print_json(out, &Shown { delivery, payload });
        }
        print_line(out, &delivery)?;
        writeln!(out, "  event     {} version {}", delivery.event_id, delivery.version)?;
        writeln!(out, "  recorded  {}", age(delivery.recorded_at))?;
        let pairs = [("key", &delivery.key), ("headers", &delivery.headers), ("error", &delivery.last_error)];
        for (name, value) in pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            writeln!(out, "  {name:<9} {value}")?;
        }
        writeln!(out, "  payload   {}", event.map_or_else(|| "is not in the store".to_owned(), |event| event.payload))?;
        Ok(())
    }
}

/// `17  dead  billing.invoice  orders.placed  10 attempts  the server is down`
fn print_line(out: &mut (dyn Write + Send), delivery: &Delivery) -> io::Result<()> {
    let Delivery { id, handler, event_name, attempts, .. } = delivery;
    let error = delivery.last_error.as_deref().unwrap_or_default();
    // One line, whatever the error has.
    let error: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let state = state_name(delivery.state);
    writeln!(out, "{id:>8}  {state:<7}  {handler}  {event_name}  {attempts} attempts  {error}")
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Ready => "ready",
        State::Running => "running",
        State::Waiting => "waiting",
        State::Dead => "dead",
        State::Done => "done",
    }
}

fn age(time: SystemTime) -> String {
    match time.elapsed() {
        Ok(age) => format!("{} s ago", age.as_secs()),
        Err(_) => "just now".to_owned(),
    }
}

fn tell_count(out: &mut (dyn Write + Send), format: &Format, what: &'static str, count: u64) -> Done {
    if format.json {
        return print_json(out, &serde_json::json!({ what: count }));
    }
    writeln!(out, "{what} {count}")?;
    Ok(())
}

fn print_stats(out: &mut (dyn Write + Send), format: &Format, stats: &Stats) -> Done {
    if format.json {
        return print_json(out, stats);
    }
    let width = stats.handlers().map(|(name, _)| name.len()).max().unwrap_or_default().max("handler".len());
    writeln!(out, "{:width$}  ready  running  waiting  dead  unknown  oldest", "handler")?;
    let all = stats.handlers().chain([("in all", &**stats)]);
    for (name, it) in all {
        let oldest = it.oldest_ready().map_or_else(|| "-".to_owned(), |age| format!("{} s", age.as_secs()));
        let (ready, running, waiting, dead, unknown) =
            (it.ready(), it.running(), it.waiting(), it.dead(), it.unknown());
        writeln!(out, "{name:width$}  {ready:>5}  {running:>7}  {waiting:>7}  {dead:>4}  {unknown:>7}  {oldest:>6}")?;
    }
    Ok(())
}

fn print_json<T: Serialize>(out: &mut (dyn Write + Send), value: &T) -> Done {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}
