//! What is recorded of publishes and sends, for tests: feature `testing`.

use std::any::Any;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use super::ended::{Ended, Failure};
use super::{Operation, Subject};
use crate::errors::chain;
use crate::event::id::EventId;
use crate::handler::info::HandlerInfo;

/// How far a publish, a send or a call of a handler has got, as a [`Recorder`](crate::testing::Recorder) knows it.
///
/// `Display` is what [`tree`](crate::testing::Recorder::tree) shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// A handler that was not called.
    NotRun,
    /// Under way.
    Running,
    /// Ended without an error.
    Ok,
    /// Ended with an error, which says this with its causes.
    Failed(String),
    /// Panicked with this message.
    Panicked(String),
    /// Dropped before it had ended.
    Cancelled,
    /// A publish that failed before any handler had started, and gave the event back with this error.
    Refused(String),
}

impl Status {
    fn of(ended: &Ended<'_>) -> Self {
        match ended {
            Ended::Ok => Self::Ok,
            // The record has the handlers of a nested publish.
            Ended::Failed(Failure::Error { error, .. }) => Self::Failed(chain::text_without_nested(*error)),
            Ended::Failed(Failure::Told(told)) => Self::Failed(told.text().to_owned()),
            Ended::Panicked(message) => Self::Panicked((*message).to_owned()),
            Ended::Cancelled => Self::Cancelled,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun => f.write_str("not run"),
            Self::Running => f.write_str("running"),
            Self::Ok => f.write_str("ok"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Refused(error) => write!(f, "refused: {error}"),
        }
    }
}

/// What was published and sent, in the order in which that started.
#[derive(Default)]
pub(crate) struct Log(Mutex<State>);

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    waiting: Vec<Waker>,
}

/// One publish, send or delivery.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) operation: Operation,
    pub(crate) name: &'static str,
    pub(crate) id: Option<EventId>,
    pub(crate) cause: Option<Cause>,
    /// Once the publish or the send has ended; not of one that gave it back, nor of a delivery.
    pub(crate) message: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) handlers: Vec<(HandlerInfo, Status)>,
    /// What a request was answered, as far as it can be told.
    pub(crate) answer: Option<String>,
    pub(crate) status: Status,
}

/// Within what a message was published or sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The place of that entry.
    pub(crate) entry: usize,
    /// The place of the handler.
    pub(crate) handler: Option<usize>,
}

impl Log {
    /// Everything so far.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.state().entries.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.state().entries.len()
    }

    /// Everything so far; the task is woken when there is more.
    pub(crate) fn watch(&self, cx: &Context<'_>) -> Vec<Entry> {
        let mut state = self.state();
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        state.entries.clone()
    }

    fn push(&self, mut entry: Entry) -> usize {
        let mut state = self.state();
        if entry.operation == Operation::Deliver {
            let published = |other: &Entry| other.operation == Operation::Publish && other.id == entry.id;
            entry.cause = state.entries.iter().position(published).map(|entry| Cause { entry, handler: None });
        }
        state.entries.push(entry);
        state.entries.len() - 1
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut Entry)) {
        let waiting = {
            let mut state = self.state();
            change(&mut state.entries[index]);
            mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a mediator records, if it does.
#[derive(Clone)]
pub(crate) struct Records(Option<Arc<Log>>);

impl Default for Records {
    fn default() -> Self {
        Self::NONE
    }
}

impl Records {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn new(log: Arc<Log>) -> Self {
        Self(Some(log))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A publish, a send or a delivery starts, within another one perhaps.
    pub(crate) fn start(&self, operation: Operation, subject: &Subject, around: Option<&Record>) -> Record {
        let Some(log) = &self.0 else { return Record(None) };
        let entry = Entry {
            operation,
            name: subject.name,
            id: subject.id,
            cause: around.and_then(Record::as_cause),
            message: None,
            handlers: Vec::new(),
            answer: None,
            status: Status::Running,
        };
        Record(Some(Place { index: log.push(entry), log: log.clone(), polled: AtomicUsize::new(NONE) }))
    }
}

/// A publish or a send in the log, if there is one.
pub(crate) struct Record(Option<Place>);

struct Place {
    log: Arc<Log>,
    index: usize,
    /// The handler that is being polled.
    polled: AtomicUsize,
}

const NONE: usize = usize::MAX;

impl Record {
    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// These handlers are to be called.
    pub(crate) fn expect(&self, handlers: &[HandlerInfo]) {
        self.change(|entry| entry.handlers = handlers.iter().map(|handler| (*handler, Status::NotRun)).collect());
    }

    pub(crate) fn note_start(&self, handler: usize) {
        self.note(handler, Status::Running);
    }

    pub(crate) fn note_end(&self, handler: usize, ended: &Ended<'_>) {
        if self.is_kept() {
            self.note(handler, Status::of(ended));
        }
    }

    /// Polls a handler, which may publish and send in turn.
    pub(crate) fn within<R>(&self, handler: usize, poll: impl FnOnce() -> R) -> R {
        let Some(Place { polled, .. }) = &self.0 else { return poll() };
        let around = polled.swap(handler, Ordering::Relaxed);
        let result = poll();
        polled.store(around, Ordering::Relaxed);
        result
    }

    /// Moves the message in.
    pub(crate) fn keep(&self, message: Arc<dyn Any + Send + Sync>) {
        self.change(|entry| entry.message = Some(message));
    }

    pub(crate) fn note_answer(&self, text: impl FnOnce() -> Option<String>) {
        if self.is_kept() {
            // Before the log is locked: it may do anything.
            let text = text();
            self.change(|entry| entry.answer = text);
        }
    }

    pub(crate) fn end(&self, ended: &Ended<'_>) {
        if !self.is_kept() {
            return;
        }
        // Before the log is locked: an error's text may take its time, and do anything.
        let status = Status::of(ended);
        self.change(|entry| {
            entry.status = match (status, &entry.message) {
                (Status::Failed(error), None) if entry.operation == Operation::Publish => Status::Refused(error),
                (status, _) => status,
            };
        });
    }

    fn as_cause(&self) -> Option<Cause> {
        let Place { index, polled, .. } = self.0.as_ref()?;
        let handler = polled.load(Ordering::Relaxed);
        Some(Cause { entry: *index, handler: (handler != NONE).then_some(handler) })
    }

    fn note(&self, handler: usize, status: Status) {
        self.change(|entry| {
            if let Some((_, noted)) = entry.handlers.get_mut(handler) {
                *noted = status;
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(Place { log, index, .. }) = &self.0 {
            log.change(*index, change);
        }
    }
}
