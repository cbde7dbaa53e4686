//! The replay: every line becomes an event, every event is published.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::process::ExitCode;

use hub_events::{ReportDue, UnknownWebhook};
use hub_github::{MAX_PAYLOAD, Malformed};
use indicatif::{ProgressBar, ProgressStyle};
use mediator_core::prelude::*;
use serde::Serialize;

use crate::input::{Input, Line};
use crate::{cli, terminal};

/// How the webhooks were answered.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) published: u64,
    pub(crate) failed: u64,
    /// How many of those published or failed are of a kind that GitHub does not document.
    pub(crate) unknown: u64,
    pub(crate) malformed: u64,
    /// Those published or failed, by the name of their event.
    pub(crate) by_event: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    empty_inputs: u64,
    #[serde(skip)]
    unreadable_inputs: u64,
    #[serde(skip)]
    report_failed: bool,
}

impl Tally {
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.unreadable_inputs > 0 {
            ExitCode::from(cli::UNUSABLE)
        } else if self.malformed > 0 || self.failed > 0 || self.report_failed {
            ExitCode::from(cli::FAILURES)
        } else if self.empty_inputs > 0 {
            ExitCode::from(cli::EMPTY)
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// Publishes all webhooks of all inputs, then lets the modules report.
///
/// What goes wrong with one webhook is said on standard error and does not keep the others back.
pub(crate) async fn replay(mediator: &Mediator, inputs: Vec<Input>) -> Tally {
    let mut replay = Replay { mediator, tally: Tally::default(), progress: progress_bar(&inputs) };
    for mut input in inputs {
        replay.input(&mut input).await;
    }
    if let Err(error) = mediator.publish(ReportDue::new()).await {
        replay.tally.report_failed = true;
        replay.complain(format_args!("{error:#}"));
    }
    replay.progress.finish_and_clear();
    replay.tally
}

struct Replay<'a> {
    mediator: &'a Mediator,
    tally: Tally,
    progress: ProgressBar,
}

impl Replay<'_> {
    async fn input(&mut self, input: &mut Input) {
        let name = input.name.clone();
        self.progress.set_message(name.clone());
        let mut webhooks = 0_u64;
        for number in 1_u64.. {
            // Blocking is fine: this is the only task, and it has nothing to do until there is a line.
            let (line, length) = match input.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    self.tally.unreadable_inputs += 1;
                    return self.complain(format_args!("{name}:{number}: cannot be read: {error}"));
                }
            };
            self.progress.inc(length);
            let event = match line {
                Line::Text(text) if text.trim_ascii().is_empty() => continue,
                Line::Text(text) => hub_github::decode_line(text),
                Line::TooLong => Err(Malformed::TooLong { limit: MAX_PAYLOAD >> 20 }),
            };
            webhooks += 1;
            match event {
                Ok(event) => self.publish(event, &name, number).await,
                Err(malformed) => {
                    self.tally.malformed += 1;
                    self.complain(format_args!("{name}:{number}: {malformed}"));
                }
            }
        }
        if webhooks == 0 {
            self.tally.empty_inputs += 1;
            self.complain(format_args!("{name}: empty; there is no webhook to replay"));
        }
    }

    async fn publish(&mut self, event: Box<dyn DynNotification>, name: &str, number: u64) {
        *self.tally.by_event.entry(event.event_name()).or_default() += 1;
        self.tally.unknown += u64::from(event.downcast_ref::<UnknownWebhook>().is_some());
        match self.mediator.publish(event).await {
            Ok(()) => self.tally.published += 1,
            Err(error) => {
                self.tally.failed += 1;
                self.complain(format_args!("{name}:{number}: {error:#}"));
            }
        }
    }

    /// Complains above the progress bar, not into it.
    fn complain(&self, what: impl Display) {
        self.progress.suspend(|| terminal::complain(what));
    }
}

/// On a terminal only: elsewhere it draws nothing.
fn progress_bar(inputs: &[Input]) -> ProgressBar {
    let total: Option<u64> = inputs.iter().map(|input| input.size).sum();
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:40} {percent:>3}% {bytes}/{total_bytes} {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {msg}"),
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
