//! Workers, which deliver.

mod background;
mod bus;
mod deliveries;
mod engine;
mod job;
mod lanes;
mod leases;
mod policy;
mod quota;
mod settle;
mod watchdog;

use std::fmt;
use std::time::Duration;

use mediator_core::Mediator;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::store::Store;
pub(crate) use bus::ANY_VERSION;
use engine::{Engine, Until};
pub(crate) use job::is_in_delivery;
use policy::Policy;

/// Says how a worker works; from [`Outbox::worker`].
///
/// ```no_run
/// use std::time::Duration;
/// use mediator_core::Mediator;
/// use mediator_outbox::SqliteOutbox;
///
/// # async fn f(outbox: SqliteOutbox, mediator: Mediator) {
/// let worker = outbox.worker(&mediator).concurrency(8).lease(Duration::from_secs(60)).start();
/// tokio::time::sleep(Duration::from_secs(3600)).await;
/// worker.shutdown(Duration::from_secs(10)).await;
/// # }
/// ```
#[must_use = "a worker does nothing until `start` or `drain`"]
pub struct WorkerBuilder<S: Store> {
    outbox: Outbox<S>,
    mediator: Mediator,
    settings: Settings,
}

/// How a worker works.
#[derive(Clone, Copy, Debug)]
struct Settings {
    work: Work,
    concurrency: usize,
    lease: Duration,
    policy: Policy,
    /// `None`: what is done is deleted.
    keep_done: Option<Duration>,
}

/// What deliveries are delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// The durable handlers of the mediator.
    Handlers,
    /// Its bus.
    Bus,
}

impl<S: Store> WorkerBuilder<S> {
    pub(crate) fn new(outbox: Outbox<S>, mediator: Mediator) -> Self {
        let (work, policy) = (Work::Handlers, Policy::default());
        let settings = Settings { work, concurrency: 8, lease: Duration::from_secs(30), policy, keep_done: None };
        Self { outbox, mediator, settings }
    }

    /// How many handlers run at a time; 8 unless said otherwise. What goes to other services is apart from that.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        assert!(handlers > 0, "a worker runs one handler at least");
        self.settings.concurrency = handlers;
        self
    }

    /// After what time others take up a delivery whose worker has crashed; 30 seconds unless said otherwise.
    ///
    /// A worker that lives renews its leases three times as often, so a handler may take longer than a lease.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn lease(mut self, lease: Duration) -> Self {
        assert!(!lease.is_zero(), "a lease lasts for some time");
        self.settings.lease = lease;
        self
    }

    /// How often a delivery is attempted before it is dead, where its handler does not say; 10 unless said otherwise.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn retry_attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "the first run is an attempt, too");
        self.settings.policy.attempts = attempts;
        self
    }

    /// The longest pause after the first attempt, where the handler does not say; a second unless said otherwise.
    ///
    /// The longest pause doubles with each attempt, and each pause is random between nothing and that.
    pub fn retry_base(mut self, base: Duration) -> Self {
        self.settings.policy.base = base;
        self
    }

    /// The longest pause of all, where the handler does not say; 5 minutes unless said otherwise.
    pub fn retry_cap(mut self, cap: Duration) -> Self {
        self.settings.policy.cap = cap;
        self
    }

    /// Keeps deliveries that are done for a while, to be looked at; otherwise they are deleted.
    pub fn keep_done(mut self, keep: Duration) -> Self {
        self.settings.keep_done = Some(keep);
        self
    }

    /// Starts the worker on the current tokio runtime.
    ///
    /// It keeps the mediator. Dropping the [`Worker`] stops it at once.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Worker {
        let (stop, stopped) = watch::channel(None);
        let run = |engine: Engine<S>| {
            let stopped = stopped.clone();
            tokio::spawn(async move {
                // It ends when it is stopped; errors of the store are waited out.
                let _ = engine.run(Until::Stopped(stopped)).await;
            })
        };
        Worker { stop, tasks: self.engines().map(run).collect() }
    }

    /// Delivers what is due until nothing is, and returns what was done; for tests and commands.
    ///
    /// What a handler publishes in turn is delivered too; what is to be tried again later is not waited for.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn drain(self) -> Result<Drained, StoreError> {
        let mut drained = Drained::default();
        // The bus last: it gives the handlers nothing to do.
        for engine in self.engines() {
            drained.add(engine.run(Until::Idle).await?);
        }
        Ok(drained)
    }

    /// One for the handlers, and one for the bus, if there is one.
    fn engines(self) -> impl Iterator<Item = Engine<S>> {
        let Self { outbox, mediator, settings } = self;
        let bus = mediator.external().map(|_| settings.of_bus());
        let settings = [settings].into_iter().chain(bus);
        settings.map(move |settings| Engine::new(outbox.clone(), mediator.clone(), settings))
    }
}

impl<S: Store> fmt::Debug for WorkerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A running worker; from [`WorkerBuilder::start`].
///
/// Dropping it stops claiming and cancels the handlers that run; their deliveries are taken up again when their leases end.
#[must_use = "a worker that is dropped stops"]
pub struct Worker {
    stop: watch::Sender<Option<Duration>>,
    /// Those of its engines.
    tasks: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Stops claiming, gives back what was not started, lets running handlers finish for at most `grace`, and cancels the others,
    /// whose deliveries are tried again.
    ///
    /// # Panics
    ///
    /// If the worker has panicked.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(Some(grace));
        for task in &mut self.tasks {
            if let Err(ended) = task.await
                && ended.is_panic()
            {
                std::panic::resume_unwind(ended.into_panic());
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

/// What a worker has done; from [`WorkerBuilder::drain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Deliveries that were completed.
    pub done: u64,
    /// Attempts that failed and are to be made again.
    pub retried: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Completions and failures that came too late: the lease was lost, and maybe somebody else has taken the delivery up.
    pub fenced: u64,
}

impl Drained {
    fn add(&mut self, other: Self) {
        let Self { done, retried, dead, fenced } = other;
        self.done += done;
        self.retried += retried;
        self.dead += dead;
        self.fenced += fenced;
    }
}
