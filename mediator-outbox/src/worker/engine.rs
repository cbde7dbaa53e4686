//! What a worker does all the time: claim, run, settle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mediator_core::Mediator;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use uuid::Uuid;

use super::background;
use super::job::{Job, Runner};
use super::lanes::Lanes;
use super::leases::Leases;
use super::quota::Quotas;
use super::settle::Ended;
use super::{Drained, Settings, Work};
use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::report;
use crate::store::{Claim, Claimed, EventRow, Failure, Store, StoredEvent, Then, Wanted};

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
    lanes: Lanes<S>,
    /// Whether something may be due.
    is_due: bool,
    /// When to ask again whether something is.
    ask_at: Instant,
    /// Whether deliveries of crashed workers are taken up, one at a time.
    is_careful: bool,
}

impl<S: Store> Engine<S> {
    pub(super) fn new(outbox: Outbox<S>, mediator: Mediator, settings: Settings) -> Self {
        let recorded = outbox.shared.recorded.subscribe();
        let quotas = Quotas::new(&mediator, settings);
        let runner = Arc::new(Runner { outbox, mediator, settings, leases: Leases::default() });
        Self {
            owner: Uuid::from_u128(fastrand::u128(..)),
            quotas,
            recorded,
            lanes: Lanes::new(runner.clone()),
            is_due: true,
            ask_at: Instant::now(),
            is_careful: false,
            runner,
        }
    }

    /// # Errors
    ///
    /// When the store cannot be asked and it is to run until nothing is due; otherwise that is waited out.
    pub(super) async fn run(mut self, mut until: Until) -> Result<Drained, StoreError> {
        let _renewal = background::renew(self.runner.clone());
        // Once for each worker.
        let has_others = matches!(until, Until::Stopped(_)) && self.runner.settings.work == Work::Handlers;
        let _others =
            has_others.then(|| [background::listen(self.runner.clone()), background::maintain(self.runner.clone())]);
        let mut pause = Pause::default();
        loop {
            match self.step(&mut until).await {
                Ok(Step::On) => pause = Pause::default(),
                Ok(Step::Idle) => return Ok(self.drained()),
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

    fn drained(&self) -> Drained {
        self.lanes.deliveries().ended.drained
    }

    /// Does what can be done at once, or waits for something to do.
    async fn step(&mut self, until: &mut Until) -> Result<Step, StoreError> {
        self.lanes.open();
        let ended = self.lanes.deliveries().take_to_settle();
        let wanted = self.wanted(ended.as_ref());
        if ended.is_some() || !wanted.is_empty() {
            self.settle_and_claim(ended.unwrap_or_default(), wanted).await?;
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
        self.lanes.deliveries().len()
    }

    fn store(&self) -> &S {
        self.runner.outbox.store()
    }

    /// Tells the store what has ended, and claims meanwhile. What it could not be told remains.
    async fn settle_and_claim(&mut self, mut ended: Ended, wanted: Vec<Wanted<'static>>) -> Result<(), StoreError> {
        let trouble = ended.trouble.take();
        if !ended.is_empty() {
            // What was behind them in their keys, or what they have published, may be due.
            self.ask_at = Instant::now();
        }
        let (settled, claimed) = tokio::join!(ended.settle(&self.runner), self.claim(&wanted));
        self.lanes.deliveries().ended.put_back(ended);
        let claimed = claimed.map(|(claimed, events)| self.take_up(&wanted, claimed, &events));
        settled.and(claimed)?;
        trouble.map_or(Ok(()), Err)
    }

    /// What to claim now, while this is settled.
    fn wanted(&mut self, ended: Option<&Ended>) -> Vec<Wanted<'static>> {
        // What waits for them can be claimed when they are settled.
        let is_later = ended.is_some_and(|ended| self.is_careful || ended.has_keys || ended.trouble.is_some());
        if !self.is_due || is_later {
            return Vec::new();
        }
        let held = self.held();
        if let Some(took) = self.lanes.deliveries().took() {
            self.quotas.took(took);
        }
        let wanted = match (self.is_careful, held) {
            (false, _) => self.quotas.wanted(held),
            (true, 0) => self.quotas.limited(1),
            (true, _) => Vec::new(),
        };
        // For now; or there is no durable handler.
        self.is_due = !wanted.is_empty() || held > 0;
        wanted
    }

    /// Claims deliveries, and reads their events.
    async fn claim(&self, wanted: &[Wanted<'_>]) -> Result<(Vec<Claimed>, HashMap<EventRow, StoredEvent>), StoreError> {
        if wanted.is_empty() {
            return Ok(Default::default());
        }
        let claim = Claim { owner: self.owner, lease: self.runner.settings.lease, wanted };
        let claimed = self.store().claim(&claim).await?;
        if claimed.is_empty() {
            return Ok(Default::default());
        }
        claimed.iter().for_each(|claimed| self.runner.leases.hold(claimed.lease));
        report::claimed(&claimed);
        let mut rows: Vec<_> = claimed.iter().map(|claimed| claimed.event).collect();
        rows.sort_unstable();
        rows.dedup();
        match self.store().events(&rows).await {
            Ok(events) => Ok((claimed, events.into_iter().map(|event| (event.row, event)).collect())),
            Err(error) => {
                self.lanes.deliveries().give_back(claimed.iter().map(|claimed| claimed.lease));
                Err(error)
            }
        }
    }

    /// Has claimed deliveries run.
    fn take_up(&mut self, wanted: &[Wanted<'_>], claimed: Vec<Claimed>, events: &HashMap<EventRow, StoredEvent>) {
        if wanted.is_empty() {
            return;
        }
        self.is_due = self.quotas.learn(wanted, &claimed);
        self.is_careful = claimed.iter().any(|claimed| claimed.lost > 0);
        let claimed = if self.is_careful { self.leave_one_alone(claimed) } else { claimed };
        let mut deliveries = self.lanes.deliveries();
        let mut jobs = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            let event = events.get(&claimed.event).cloned();
            match event.zip(self.quotas.handler(&claimed)) {
                Some((event, handler)) => jobs.push(Job { claimed, event, handler }),
                None => {
                    let error = "its event is not in the store any more".to_owned();
                    deliveries.ended.failed(Failure { lease: claimed.lease, then: Then::Dead, error });
                }
            }
        }
        if self.is_careful {
            deliveries.push_alone(jobs.pop());
        } else {
            deliveries.push(jobs);
        }
    }

    /// Of deliveries whose last attempt may have crashed a process, leaves the first; it waits until it can run alone. If it
    /// crashes this one, it takes none along.
    fn leave_one_alone(&mut self, mut claimed: Vec<Claimed>) -> Vec<Claimed> {
        let position = claimed.iter().position(|claimed| claimed.lost > 0).unwrap_or(0);
        let alone = claimed.swap_remove(position);
        let mut deliveries = self.lanes.deliveries();
        deliveries.give_back_waiting();
        deliveries.give_back(claimed.iter().map(|claimed| claimed.lease));
        self.is_due = true;
        vec![alone]
    }

    /// Waits until something has ended, something may be due, what has ended is to be settled, or it is to stop.
    async fn wait(&mut self, until: &mut Until) -> Result<Step, StoreError> {
        let settle_at = self.lanes.deliveries().ended.settle_at();
        tokio::select! {
            () = self.lanes.changed() => {}
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
        self.lanes.deliveries().give_back_waiting();
        self.settle_or_report().await;
        while !self.lanes.are_closed() && timeout_at(deadline, self.lanes.changed()).await.is_ok() {
            self.settle_or_report().await;
        }
        self.lanes.close().await;
        self.settle_or_report().await;
        self.drained()
    }

    async fn settle_or_report(&mut self) {
        let ended = std::mem::take(&mut self.lanes.deliveries().ended);
        if let Err(error) = self.settle_and_claim(ended, Vec::new()).await {
            report::store_failed(&error);
        }
    }
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
