//! What a worker does all the time: claim, start, settle.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mediator_core::Mediator;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use uuid::Uuid;

use super::job::{Job, Outcome, Runner};
use super::leases::Leases;
use super::policy;
use super::quota::Quotas;
use super::{Drained, Settings};
use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::report;
use crate::store::{Claim, Claimed, Failure, Lease, Store, Then, Wanted};

/// How long the end of a delivery may wait for others, to be settled with them in one statement.
const SETTLE_AFTER: Duration = Duration::from_millis(20);

/// So many are settled at once.
const SETTLE_AT: usize = 100;

/// For how long a received event is kept, so that it is not received twice.
const KEEP_RECEIVED: Duration = Duration::from_secs(7 * 24 * 3600);

/// When an engine ends.
pub(super) enum Until {
    /// When nothing is due.
    Idle,
    /// When it is told how long the handlers that run may take.
    Stopped(watch::Receiver<Option<Duration>>),
}

pub(super) struct Engine<S: Store> {
    runner: Arc<Runner<S>>,
    owner: Uuid,
    quotas: Quotas,
    /// Something was recorded.
    recorded: watch::Receiver<()>,
    /// Claimed, but not started.
    queue: VecDeque<Job>,
    running: JoinSet<Outcome>,
    tasks: HashMap<Id, Attempt>,
    ended: Ended,
    /// Whether something may be due.
    is_due: bool,
    /// When to ask again whether something is.
    ask_at: Instant,
    /// Whether deliveries of crashed workers are taken up, one at a time.
    is_careful: bool,
    /// Since when there has been something in the queue.
    claimed_at: Instant,
    drained: Drained,
}

/// An attempt that runs.
#[derive(Clone, Copy)]
struct Attempt {
    lease: Lease,
    number: u32,
    handler: usize,
}

/// Deliveries whose attempts have ended, which the store is not told yet.
#[derive(Default)]
struct Ended {
    done: Vec<Lease>,
    failed: Vec<Failure>,
    not_started: Vec<Lease>,
    since: Option<Instant>,
    /// Why they were not started.
    trouble: Option<StoreError>,
}

impl Ended {
    fn len(&self) -> usize {
        self.done.len() + self.failed.len() + self.not_started.len()
    }
}

/// A task that ends with whoever has started it.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn new(outbox: Outbox<S>, mediator: Mediator, settings: Settings) -> Self {
        let recorded = outbox.shared.recorded.subscribe();
        Self {
            owner: Uuid::from_u128(fastrand::u128(..)),
            quotas: Quotas::new(&mediator, settings.concurrency),
            recorded,
            queue: VecDeque::new(),
            running: JoinSet::new(),
            tasks: HashMap::new(),
            ended: Ended::default(),
            is_due: true,
            ask_at: Instant::now(),
            is_careful: false,
            claimed_at: Instant::now(),
            drained: Drained::default(),
            runner: Arc::new(Runner { outbox, mediator, settings, leases: Leases::default() }),
        }
    }

    /// # Errors
    ///
    /// When the store cannot be asked and it is to run until nothing is due; otherwise that is waited out.
    pub(super) async fn run(mut self, mut until: Until) -> Result<Drained, StoreError> {
        let mut tasks = vec![self.spawn_renewal()];
        if matches!(until, Until::Stopped(_)) {
            tasks.extend([self.spawn_listener(), self.spawn_maintenance()]);
        }
        let mut pause = Pause::default();
        loop {
            match self.step(&mut until).await {
                Ok(Step::On) => pause = Pause::default(),
                Ok(Step::Idle) => return Ok(self.drained),
                Ok(Step::Stop(grace)) => return Ok(self.stop(grace).await),
                Err(error) if matches!(until, Until::Idle) => return Err(error),
                Err(error) => {
                    report::store_failed(&error);
                    if let Ok(grace) = timeout(pause.next(), until.stopped()).await {
                        return Ok(self.stop(grace).await);
                    }
                }
            }
        }
    }

    /// Does what can be done at once, or waits for something to do.
    async fn step(&mut self, until: &mut Until) -> Result<Step, StoreError> {
        self.start();
        if let Some(trouble) = self.ended.trouble.take() {
            self.settle().await?;
            return Err(trouble);
        }
        if self.is_to_be_settled() {
            self.settle().await?;
            return Ok(Step::On);
        }
        if self.is_due && self.claim().await? {
            return Ok(Step::On);
        }
        if self.held() > 0 || !matches!(until, Until::Idle) {
            return self.wait(until).await;
        }
        self.ask().await?;
        Ok(if self.is_due { Step::On } else { Step::Idle })
    }

    /// How many deliveries were claimed and are not settled.
    fn held(&self) -> usize {
        self.queue.len() + self.running.len() + self.ended.len()
    }

    fn store(&self) -> &S {
        self.runner.outbox.store()
    }

    /// Starts what waits, as far as there is room; what may crash this process, alone.
    fn start(&mut self) {
        // Not before the others are given back: they would lose an attempt with it.
        let room = match (self.is_careful, self.ended.len()) {
            (false, _) => self.runner.settings.concurrency,
            (true, 0) => 1,
            (true, _) => 0,
        };
        while self.running.len() < room {
            let Some(job) = self.queue.pop_front() else { return };
            let attempt = Attempt { lease: job.claimed.lease, number: job.claimed.attempts, handler: job.handler };
            // Lost while it waited.
            if !self.runner.leases.is_held(attempt.lease) {
                self.drained.fenced += 1;
                continue;
            }
            let runner = self.runner.clone();
            let task = self.running.spawn(async move { runner.run(job).await });
            self.runner.leases.runs(attempt.lease, task.clone());
            self.tasks.insert(task.id(), attempt);
            if self.queue.is_empty() {
                self.quotas.took(self.claimed_at.elapsed());
            }
        }
    }

    fn is_to_be_settled(&self) -> bool {
        let is_all = self.running.is_empty() && (self.queue.is_empty() || self.is_careful);
        let is_late = self.ended.since.is_some_and(|since| since.elapsed() >= SETTLE_AFTER);
        self.ended.len() > 0 && (is_all || is_late || self.ended.len() >= SETTLE_AT)
    }

    /// Tells the store what has ended. What it could not be told remains.
    async fn settle(&mut self) -> Result<(), StoreError> {
        // What was behind them in their keys, or what they have published, may be due.
        self.ask_at = Instant::now();
        self.settle_done().await?;
        self.settle_failed().await?;
        self.settle_not_started().await?;
        self.ended.since = None;
        Ok(())
    }

    async fn settle_done(&mut self) -> Result<(), StoreError> {
        let done = std::mem::take(&mut self.ended.done);
        let done = self.let_go(done);
        if done.is_empty() {
            return Ok(());
        }
        match self.store().complete(&done, self.runner.settings.keep_done.is_some()).await {
            Ok(completed) => {
                self.drained.done += completed.len() as u64;
                self.count_fenced(&done, completed.len());
                Ok(())
            }
            Err(error) => {
                self.hold(&done);
                self.ended.done = done;
                Err(error)
            }
        }
    }

    async fn settle_failed(&mut self) -> Result<(), StoreError> {
        let failed = std::mem::take(&mut self.ended.failed);
        let leases = self.let_go(failed.iter().map(|failure| failure.lease).collect());
        if failed.is_empty() {
            return Ok(());
        }
        match self.store().fail(&failed).await {
            Ok(changed) => {
                let changed: std::collections::HashSet<_> = changed.into_iter().collect();
                for failure in failed.iter().filter(|failure| changed.contains(&failure.lease.delivery)) {
                    match failure.then {
                        Then::Retry(_) => self.drained.retried += 1,
                        Then::Dead | Then::DeadKeyGoesOn => self.drained.dead += 1,
                    }
                }
                self.count_fenced(&leases, changed.len());
                Ok(())
            }
            Err(error) => {
                self.hold(&leases);
                self.ended.failed = failed;
                Err(error)
            }
        }
    }

    /// Lets leases go; returns those that were not lost.
    fn let_go(&mut self, leases: Vec<Lease>) -> Vec<Lease> {
        let (held, lost): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| self.runner.leases.let_go(*lease));
        self.drained.fenced += lost.len() as u64;
        held
    }

    fn hold(&self, leases: &[Lease]) {
        leases.iter().for_each(|lease| self.runner.leases.hold(*lease));
    }

    fn count_fenced(&mut self, leases: &[Lease], changed: usize) {
        let fenced = leases.len().saturating_sub(changed);
        if fenced > 0 {
            self.drained.fenced += fenced as u64;
            report::fenced(fenced);
        }
    }

    async fn settle_not_started(&mut self) -> Result<(), StoreError> {
        let back = std::mem::take(&mut self.ended.not_started);
        let back = self.let_go(back);
        if back.is_empty() {
            return Ok(());
        }
        match self.store().give_back(&back).await {
            Ok(_) => Ok(()),
            Err(error) => {
                self.hold(&back);
                self.ended.not_started = back;
                Err(error)
            }
        }
    }

    /// These are to be given back.
    fn give_back(&mut self, leases: impl IntoIterator<Item = Lease>) {
        for lease in leases {
            self.end(|ended| ended.not_started.push(lease));
        }
    }

    /// Claims what is due, as far as there is room; whether something was claimed.
    async fn claim(&mut self) -> Result<bool, StoreError> {
        let wanted = if self.is_careful && self.held() > 0 {
            Vec::new()
        } else if self.is_careful {
            self.quotas.limited(1)
        } else {
            self.quotas.wanted(self.held())
        };
        if wanted.is_empty() {
            // For now; or there is no durable handler.
            self.is_due &= self.held() > 0;
            return Ok(false);
        }
        let mut claimed = self.claim_wanted(&wanted).await?;
        self.is_due = self.quotas.learn(&wanted, &claimed);
        if claimed.is_empty() {
            self.is_careful = false;
            return Ok(false);
        }
        self.is_careful = claimed.iter().any(|claimed| claimed.lost > 0);
        if self.is_careful {
            claimed = self.leave_one_alone(claimed);
            self.is_due = true;
        }
        self.claimed_at = Instant::now();
        self.load(claimed).await?;
        Ok(true)
    }

    async fn claim_wanted(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Claimed>, StoreError> {
        let claim = Claim { owner: self.owner, lease: self.runner.settings.lease, wanted };
        let claimed = self.store().claim(&claim).await?;
        claimed.iter().for_each(|claimed| self.runner.leases.hold(claimed.lease));
        report::claimed(&claimed);
        Ok(claimed)
    }

    /// Of deliveries whose last attempt may have crashed a process, leaves the first; it waits until it can run alone. If it
    /// crashes this one, it takes none along.
    fn leave_one_alone(&mut self, mut claimed: Vec<Claimed>) -> Vec<Claimed> {
        let position = claimed.iter().position(|claimed| claimed.lost > 0).unwrap_or(0);
        let alone = claimed.swap_remove(position);
        self.give_back(claimed.iter().map(|claimed| claimed.lease));
        let queued: Vec<_> = self.queue.drain(..).map(|job| job.claimed.lease).collect();
        self.give_back(queued);
        vec![alone]
    }

    /// Reads the events of claimed deliveries, and puts these into the queue.
    async fn load(&mut self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let mut rows: Vec<_> = claimed.iter().map(|claimed| claimed.event).collect();
        rows.sort_unstable();
        rows.dedup();
        let events = match self.store().events(&rows).await {
            Ok(events) => events,
            Err(error) => {
                self.give_back(claimed.iter().map(|claimed| claimed.lease));
                return Err(error);
            }
        };
        let events: HashMap<_, _> = events.into_iter().map(|event| (event.row, event)).collect();
        for claimed in claimed {
            let event = events.get(&claimed.event).cloned();
            match event.zip(self.quotas.handler(&claimed)) {
                Some((event, handler)) => self.queue.push_back(Job { claimed, event, handler }),
                None => self.end(|ended| {
                    let error = "its event is not in the store any more".to_owned();
                    ended.failed.push(Failure { lease: claimed.lease, then: Then::Dead, error });
                }),
            }
        }
        Ok(())
    }

    fn end(&mut self, note: impl FnOnce(&mut Ended)) {
        note(&mut self.ended);
        self.ended.since.get_or_insert_with(Instant::now);
    }

    /// Notes how an attempt has ended.
    fn note(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, Ok(outcome)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(Attempt { lease, number, handler }) = self.tasks.remove(&id) else { return };
        match outcome {
            Ok(Outcome::Succeeded) => self.end(|ended| ended.done.push(lease)),
            Ok(Outcome::Committed) => {
                self.drained.done += 1;
                self.ask_at = Instant::now();
            }
            Ok(Outcome::Failed { then, error }) => self.end(|ended| ended.failed.push(Failure { lease, then, error })),
            Ok(Outcome::Fenced) => {
                self.runner.leases.let_go(lease);
                self.count_fenced(&[lease], 0);
            }
            Ok(Outcome::NotStarted(error)) => self.end(|ended| {
                ended.not_started.push(lease);
                ended.trouble = Some(error);
            }),
            // Its lease was lost.
            Err(error) if error.is_cancelled() => self.drained.fenced += 1,
            Err(_) => {
                let handler = &self.runner.mediator.durable_handlers()[handler];
                let policy = self.runner.settings.policy.of(handler);
                let then = policy.next(number, policy::dead(handler));
                let error = "what called the handler panicked".to_owned();
                self.end(|ended| ended.failed.push(Failure { lease, then, error }));
            }
        }
    }

    /// Waits until something has ended, something may be due, what has ended is to be settled, or it is to stop.
    async fn wait(&mut self, until: &mut Until) -> Result<Step, StoreError> {
        let settle_at = self.ended.since.map(|since| since + SETTLE_AFTER);
        tokio::select! {
            Some(ended) = self.running.join_next_with_id() => {
                self.note(ended);
                while let Some(ended) = self.running.try_join_next_with_id() {
                    self.note(ended);
                }
            }
            Ok(()) = self.recorded.changed() => self.is_due = true,
            () = sleep_until(self.ask_at), if !self.is_due => self.ask().await?,
            () = sleep_until(settle_at.unwrap_or(self.ask_at)), if settle_at.is_some() => {}
            grace = until.stopped() => return Ok(Step::Stop(grace)),
        }
        Ok(Step::On)
    }

    /// Asks the store whether something is due.
    async fn ask(&mut self) -> Result<(), StoreError> {
        let wanted = self.quotas.limited(1);
        let due = self.store().next_due(&wanted).await?;
        self.is_due = due == Some(Duration::ZERO);
        let longest = self.store().poll_interval();
        self.ask_at = Instant::now() + due.map_or(longest, |due| due.min(longest)).max(Duration::from_millis(1));
        Ok(())
    }

    /// Gives back what was not started, and lets what runs end within `grace`.
    async fn stop(mut self, grace: Duration) -> Drained {
        let deadline = Instant::now() + grace;
        let queued: Vec<_> = self.queue.drain(..).map(|job| job.claimed.lease).collect();
        self.give_back(queued);
        self.settle_or_report().await;
        while let Ok(Some(ended)) = timeout_at(deadline, self.running.join_next_with_id()).await {
            self.note(ended);
            self.settle_or_report().await;
        }
        for attempt in std::mem::take(&mut self.tasks).into_values() {
            let error = "the worker was shut down before the handler had ended".to_owned();
            let then = Then::Retry(Duration::ZERO);
            self.end(|ended| ended.failed.push(Failure { lease: attempt.lease, then, error }));
        }
        self.running.shutdown().await;
        self.settle_or_report().await;
        self.drained
    }

    async fn settle_or_report(&mut self) {
        if let Err(error) = self.settle().await {
            report::store_failed(&error);
        }
    }

    fn spawn_renewal(&self) -> Task {
        let runner = self.runner.clone();
        Task(tokio::spawn(async move { runner.leases.keep(runner.outbox.store(), runner.settings.lease).await }))
    }

    /// Passes on what other processes announce.
    fn spawn_listener(&self) -> Task {
        let outbox = self.runner.outbox.clone();
        Task(tokio::spawn(async move {
            loop {
                outbox.store().announced().await;
                outbox.shared.wake_this_process();
            }
        }))
    }

    /// Deletes what is kept no longer.
    fn spawn_maintenance(&self) -> Task {
        let runner = self.runner.clone();
        Task(tokio::spawn(async move {
            let store = runner.outbox.store();
            loop {
                let kept = maintain(store, runner.settings.keep_done.unwrap_or_default()).await;
                let counted = runner.outbox.tell_counts().await;
                if let Err(error) = kept.and(counted) {
                    report::store_failed(&error);
                }
                sleep(Duration::from_secs(5)).await;
            }
        }))
    }
}

async fn maintain<S: Store>(store: &S, keep_done: Duration) -> Result<(), StoreError> {
    while store.purge(keep_done, KEEP_RECEIVED).await? > 0 {
        tokio::task::yield_now().await;
    }
    let repaired = store.repair().await?;
    if repaired > 0 {
        report::repaired(repaired);
    }
    Ok(())
}

enum Step {
    On,
    Idle,
    Stop(Duration),
}

impl Until {
    /// Resolves when it is to stop, with how long the handlers that run may take; at once if nobody can say so any more.
    async fn stopped(&mut self) -> Duration {
        match self {
            Self::Idle => std::future::pending().await,
            Self::Stopped(stopped) => match stopped.wait_for(Option::is_some).await {
                Ok(grace) => grace.unwrap_or_default(),
                Err(_) => Duration::ZERO,
            },
        }
    }
}

/// How long to wait after an error of the store: twice as long each time.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Duration::from_secs(5));
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}
