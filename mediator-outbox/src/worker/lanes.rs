//! Where deliveries run: in a few lanes, each of which takes them from the queue one after another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, yield_now};

use super::deliveries::Deliveries;
use super::job::{Job, Outcome, Runner};
use super::settle::fenced;
use crate::store::{Failure, Lease, Store, Then};

/// For how long a lane runs handlers that never wait before it lets other tasks of the runtime run.
const SLICE: Duration = Duration::from_millis(1);

/// The lanes of a worker; dropping them cancels what runs there.
///
/// There is a task for each lane, not for each delivery: many handlers are shorter than the start of a task.
pub(super) struct Lanes<S: Store> {
    shared: Arc<Shared<S>>,
    open: JoinSet<()>,
}

struct Shared<S: Store> {
    runner: Arc<Runner<S>>,
    deliveries: Mutex<Deliveries>,
    /// Something has ended that the engine is to look at.
    news: Notify,
}

impl<S: Store> Lanes<S> {
    pub(super) fn new(runner: Arc<Runner<S>>) -> Self {
        let shared = Shared { runner, deliveries: Mutex::default(), news: Notify::new() };
        Self { shared: Arc::new(shared), open: JoinSet::new() }
    }

    pub(super) fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.shared.deliveries()
    }

    /// Opens lanes for what waits, as far as there is room.
    pub(super) fn open(&mut self) {
        let room = self.shared.runner.settings.concurrency - self.open.len();
        let waiting = self.deliveries().waiting();
        for _ in 0..room.min(waiting) {
            self.open.spawn(run(self.shared.clone()));
        }
    }

    pub(super) fn are_closed(&self) -> bool {
        self.open.is_empty()
    }

    /// Resolves when a lane has closed, since nothing waited, or when there is something to look at.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            // One that has panicked has told how its delivery ended, too.
            Some(_) = self.open.join_next() => while self.open.try_join_next().is_some() {},
            () = self.shared.news.notified() => {}
        }
    }

    /// Cancels what runs, and waits until it has ended.
    pub(super) async fn close(&mut self) {
        self.open.shutdown().await;
    }
}

impl<S: Store> Shared<S> {
    fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next delivery whose lease was not lost while it waited, and what resolves if it is lost from now on.
    fn next(&self) -> Option<(Job, Attempt<'_, S>, oneshot::Receiver<()>)> {
        let mut deliveries = self.deliveries();
        while let Some(job) = deliveries.start() {
            let (lost, when_lost) = oneshot::channel();
            if self.runner.leases.runs(job.claimed.lease, lost) {
                let attempt = Attempt::of(self, &job);
                return Some((job, attempt, when_lost));
            }
            deliveries.stopped().drained.fenced += 1;
        }
        None
    }
}

/// One lane.
async fn run<S: Store>(shared: Arc<Shared<S>>) {
    let mut began = Instant::now();
    while let Some((job, attempt, when_lost)) = shared.next() {
        let outcome = tokio::select! {
            biased;
            Ok(()) = when_lost => None,
            outcome = shared.runner.run(job) => Some(outcome),
        };
        let is_news = attempt.ended(outcome);
        // The engine may have been woken on this thread, where no other one would run it.
        if is_news || began.elapsed() > SLICE {
            yield_now().await;
            began = Instant::now();
        }
    }
}

/// An attempt that runs. Its lease is renewed until it has ended, so it ends by being dropped, too.
struct Attempt<'a, S: Store> {
    shared: &'a Shared<S>,
    lease: Lease,
    number: u32,
    handler: usize,
    has_key: bool,
    has_ended: bool,
}

impl<'a, S: Store> Attempt<'a, S> {
    fn of(shared: &'a Shared<S>, job: &Job) -> Self {
        let claimed = &job.claimed;
        let (lease, number, has_key) = (claimed.lease, claimed.attempts, claimed.key.is_some());
        Self { shared, lease, number, handler: job.handler, has_key, has_ended: false }
    }

    /// Notes how it has ended, `None` if its lease was lost; whether the engine is to look at that.
    fn ended(mut self, outcome: Option<Outcome>) -> bool {
        self.has_ended = true;
        self.note(outcome)
    }

    fn note(&self, outcome: Option<Outcome>) -> bool {
        let mut deliveries = self.shared.deliveries();
        let ended = deliveries.stopped();
        ended.has_keys |= self.has_key;
        let is_news = match outcome {
            Some(Outcome::Succeeded) => ended.done(self.lease),
            Some(Outcome::Failed { then, error }) => ended.failed(Failure { lease: self.lease, then, error }),
            Some(Outcome::NotStarted(error)) => {
                ended.trouble = Some(error);
                ended.not_started(self.lease);
                true
            }
            Some(Outcome::Committed) => {
                ended.drained.done += 1;
                true
            }
            Some(Outcome::Fenced) => {
                self.shared.runner.leases.let_go(self.lease);
                fenced(1, &mut ended.drained);
                true
            }
            None => {
                ended.drained.fenced += 1;
                true
            }
        };
        drop(deliveries);
        if is_news {
            self.shared.news.notify_one();
        }
        is_news
    }

    fn panicked(&self) -> Outcome {
        let then = self.shared.runner.after_panic(self.handler, self.number);
        Outcome::Failed { then, error: "what called the handler panicked".to_owned() }
    }
}

fn cancelled() -> Outcome {
    let error = "the worker was shut down before the handler had ended".to_owned();
    Outcome::Failed { then: Then::Retry(Duration::ZERO), error }
}

impl<S: Store> Drop for Attempt<'_, S> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.note(Some(if std::thread::panicking() { self.panicked() } else { cancelled() }));
        }
    }
}
