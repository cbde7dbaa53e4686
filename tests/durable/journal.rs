//! What handlers do outside of transactions.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::time::{ClockId, clock_gettime};

/// A file to which all processes append when a handler starts and when it ends.
#[derive(Clone, Debug)]
pub struct Journal {
    file: Arc<File>,
    path: PathBuf,
}

/// One run of a handler, as the journal tells it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which handler.
    pub handler: String,
    /// The key of the event; empty without one.
    pub key: String,
    /// The number of the event.
    pub number: i64,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The process.
    pub process: u32,
    /// When it started, in nanoseconds since the machine did.
    pub started: i64,
    /// When it ended, and whether it succeeded as far as the handler knows; `None` if the process ended first.
    pub ended: Option<(i64, bool)>,
}

impl Journal {
    /// Opens one, or makes it.
    ///
    /// # Panics
    ///
    /// If that cannot be.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path).expect("a journal");
        Self { file: Arc::new(file), path: path.to_owned() }
    }

    /// A handler starts.
    pub fn starts(&self, handler: &str, key: &str, number: i64, attempt: u32) -> Moment {
        let what = format!("{handler};{key};{number};{attempt};{}", std::process::id());
        self.append(&format!("{what};starts;{}\n", now()));
        Moment { journal: self.clone(), what, succeeded: false }
    }

    /// All runs, in the order of their starts.
    ///
    /// # Panics
    ///
    /// If the file cannot be read, or something else has written to it.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let text = std::fs::read_to_string(&self.path).expect("a journal");
        let mut runs: Vec<Run> = Vec::new();
        for line in text.lines() {
            let [handler, key, number, attempt, process, what, at] =
                line.split(';').collect::<Vec<_>>().try_into().expect("seven fields");
            let (number, at) = (number.parse().expect("a number"), at.parse().expect("a time"));
            let (attempt, process) = (attempt.parse().expect("an attempt"), process.parse().expect("a process"));
            if what == "starts" {
                let (handler, key) = (handler.to_owned(), key.to_owned());
                runs.push(Run { handler, key, number, attempt, process, started: at, ended: None });
                continue;
            }
            let is_it = |run: &&mut Run| {
                (&*run.handler, run.number, run.attempt, run.process) == (handler, number, attempt, process)
                    && run.ended.is_none()
            };
            let run = runs.iter_mut().rev().find(is_it).expect("what ends has started");
            run.ended = Some((at, what == "succeeds"));
        }
        runs.sort_by_key(|run| run.started);
        runs
    }

    /// One write: lines of several processes do not mix.
    fn append(&self, line: &str) {
        (&*self.file).write_all(line.as_bytes()).expect("a journal that can be written to");
    }
}

/// A handler that runs.
#[derive(Debug)]
#[must_use = "the run ends when it is dropped"]
pub struct Moment {
    journal: Journal,
    what: String,
    succeeded: bool,
}

impl Moment {
    /// The handler has done what it was to do.
    pub fn succeeds(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        let how = if self.succeeded { "succeeds" } else { "fails" };
        self.journal.append(&format!("{};{how};{}\n", self.what, now()));
    }
}

/// The same clock in all processes, which nobody sets.
fn now() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
