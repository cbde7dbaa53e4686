//! One attempt of one delivery.

use std::any::TypeId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use mediator_core::durable::{DeliveryInfo, DurableHandler};
use mediator_core::{DynNotification, Mediator, PublishError};
use tokio::time::Instant;

use super::leases::Leases;
use super::{Settings, Work, policy};
use crate::BoxError;
use crate::error::{StoreError, full_text};
use crate::headers::Headers;
use crate::outbox::Outbox;
use crate::report::{self, Ended, Span};
use crate::store::{Claimed, Lease, Store, StoredEvent, Then};

tokio::task_local! {
    static IN_DELIVERY: ();
}

/// Whether the current task calls a durable handler.
pub(crate) fn is_in_delivery() -> bool {
    IN_DELIVERY.try_with(|()| ()).is_ok()
}

/// A claimed delivery, with its event.
pub(super) struct Job {
    pub(super) claimed: Claimed,
    pub(super) event: StoredEvent,
    /// Among the durable handlers of the mediator; the bus is one.
    pub(super) handler: usize,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The handler has succeeded; that is to be recorded.
    Succeeded,
    /// The handler has succeeded, and that is recorded.
    Committed,
    /// The handler has failed.
    Failed { then: Then, error: String },
    /// The lease was lost, and what the handler wrote is rolled back.
    Fenced,
    /// The handler was not called.
    NotStarted(StoreError),
}

/// What is the same for all attempts of a worker.
pub(super) struct Runner<S: Store> {
    pub(super) outbox: Outbox<S>,
    pub(super) mediator: Mediator,
    pub(super) settings: Settings,
    pub(super) leases: Leases,
}

impl<S: Store> Runner<S> {
    pub(super) async fn run(&self, job: Job) -> Outcome {
        let headers = Headers::from_json(job.event.headers.as_deref());
        let span = report::span(&job.claimed, job.event.event_id, &headers);
        let info = info(&job, &headers);
        let waited = SystemTime::now().duration_since(job.claimed.due_at).unwrap_or_default();
        let started = Instant::now();
        let attempt = async {
            let outcome = match self.mediator.external().filter(|_| self.settings.work == Work::Bus) {
                Some(external) => self.publish(external, &job, headers).await,
                None => self.attempt(&job, &info).await,
            };
            self.tell(&job.claimed, &outcome, waited, started.elapsed());
            outcome
        };
        IN_DELIVERY.scope((), span.around(attempt)).await
    }

    /// What follows when what called a handler, or the bus, has panicked.
    pub(super) fn after_panic(&self, handler: usize, attempt: u32) -> Then {
        match self.settings.work {
            Work::Handlers => {
                let handler = &self.mediator.durable_handlers()[handler];
                self.settings.policy.of(handler).next(attempt, policy::dead(handler))
            }
            Work::Bus => self.settings.policy.next(attempt, Then::Dead),
        }
    }

    async fn attempt(&self, job: &Job, info: &DeliveryInfo) -> Outcome {
        let handler = &self.mediator.durable_handlers()[job.handler];
        let policy = self.settings.policy.of(handler);
        let attempt = job.claimed.attempts;
        let gave_up = |error: String| Outcome::Failed { then: policy::dead(handler), error };
        if attempt > policy.attempts {
            return gave_up(format!("attempt {} did not finish: its process crashed, or was too slow", attempt - 1));
        }
        let event = match decode(handler, job) {
            Ok(event) => event,
            Err(error) => return gave_up(format!("the event cannot be decoded: {error}")),
        };
        let delivered = if handler.borrows(TypeId::of::<S::Connection>()) {
            self.deliver_within_transaction(handler, job.claimed.lease, info, &*event).await
        } else {
            let delivered = self.mediator.with(info).deliver(handler, &*event).await;
            delivered.map(|()| Outcome::Succeeded).map_err(Failed::Handler)
        };
        delivered.unwrap_or_else(|failed| match failed {
            Failed::Handler(error) => {
                let then = policy.after(attempt, error.downcast_ref(), error.downcast_ref(), policy::dead(handler));
                Outcome::Failed { then, error: text(&error) }
            }
            Failed::Store(error) => {
                Outcome::Failed { then: policy.next(attempt, policy::dead(handler)), error: full_text(&error) }
            }
        })
    }

    /// The handler, the completion and what the handler publishes are one transaction.
    async fn deliver_within_transaction(
        &self,
        handler: &DurableHandler,
        lease: Lease,
        info: &DeliveryInfo,
        event: &dyn DynNotification,
    ) -> Result<Outcome, Failed> {
        let store = self.outbox.store();
        let mut transaction = match store.begin().await {
            Ok(transaction) => transaction,
            Err(error) => return Ok(Outcome::NotStarted(error)),
        };
        let delivered = self.mediator.with(info).with(&mut *transaction).deliver(handler, event).await;
        if let Err(error) = delivered {
            self.roll_back(transaction).await;
            return Err(Failed::Handler(error));
        }
        let completed = store.complete_within(&mut transaction, lease, self.settings.keep_done.is_some()).await;
        match completed {
            Ok(true) => self.commit(transaction, lease).await,
            Ok(false) => {
                self.roll_back(transaction).await;
                Ok(Outcome::Fenced)
            }
            Err(error) => {
                self.roll_back(transaction).await;
                Err(Failed::Store(error))
            }
        }
    }

    async fn commit(&self, transaction: S::Transaction, lease: Lease) -> Result<Outcome, Failed> {
        // A renewal must not take the row that is gone for a lost one.
        self.leases.let_go(lease);
        if let Err(error) = S::commit(transaction).await {
            self.leases.hold(lease);
            return Err(Failed::Store(error));
        }
        // Maybe it has published.
        self.outbox.shared.wake_this_process();
        Ok(Outcome::Committed)
    }

    /// What was written is gone even if the connection breaks.
    async fn roll_back(&self, transaction: S::Transaction) {
        if let Err(error) = S::rollback(transaction).await {
            report::store_failed(&error);
        }
    }

    /// Tells those who watch how an attempt ended.
    fn tell(&self, claimed: &Claimed, outcome: &Outcome, waited: Duration, ran: Duration) {
        let ended = match outcome {
            Outcome::Succeeded | Outcome::Committed => Ended::Done,
            Outcome::Failed { then: Then::Retry(_), .. } => Ended::Retried,
            Outcome::Failed { error, .. } => {
                report::dead(claimed, error);
                Ended::Dead
            }
            Outcome::Fenced | Outcome::NotStarted(_) => return,
        };
        if !matches!(ended, Ended::Done) {
            Span::failed();
        }
        self.outbox.shared.attempted(ended, ran);
        report::attempted(claimed, ended, waited, ran);
    }
}

enum Failed {
    Handler(PublishError),
    Store(StoreError),
}

fn decode(handler: &DurableHandler, job: &Job) -> Result<Box<dyn DynNotification>, BoxError> {
    // Upcasters are the user's.
    let decoded = catch_unwind(AssertUnwindSafe(|| handler.decode(job.claimed.version, &job.event.payload)));
    decoded.unwrap_or_else(|_| Err("the decoder panicked".into()))
}

fn info(job: &Job, headers: &Headers) -> DeliveryInfo {
    let Job { claimed, event, .. } = job;
    let idempotency_key = format!("{}/{}", event.event_id, claimed.handler);
    let info = DeliveryInfo::new(claimed.attempts, idempotency_key, claimed.recorded_at);
    info.with_correlation_id(headers.correlation_id)
}

/// How the handler failed, with all causes.
fn text(error: &PublishError) -> String {
    error.failures().first().map_or_else(|| format!("{error:#}"), |failure| format!("{failure:#}"))
}
