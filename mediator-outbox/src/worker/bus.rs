//! Deliveries to the bus that takes events to other services.

use std::error::Error;

use mediator_core::durable::{External, ExternalEvent};

use super::job::{Job, Outcome, Runner};
use super::policy::Policy;
use super::{Settings, Work};
use crate::error::full_text;
use crate::headers::Headers;
use crate::store::{Store, Then};

/// How many events are on their way at a time.
const IN_FLIGHT: usize = 100;

/// The longest pause between attempts: a broker that is back is soon given what has waited for it.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// The highest version that a database can hold: payloads are passed on as they are.
pub(crate) const ANY_VERSION: u32 = i32::MAX as u32;

impl Settings {
    /// For deliveries to the bus, which are attempted until it accepts them.
    pub(super) fn of_bus(self) -> Self {
        let Policy { base, cap, .. } = self.policy;
        let policy = Policy { attempts: u32::MAX, base, cap: cap.min(LONGEST_PAUSE) };
        Self { concurrency: IN_FLIGHT, work: Work::Bus, policy, ..self }
    }
}

impl<S: Store> Runner<S> {
    pub(super) async fn publish(&self, external: &External, job: &Job, headers: Headers) -> Outcome {
        let event = on_the_bus(job, headers);
        let Err(error) = external.publish(&event).await else { return Outcome::Succeeded };
        let then = self.settings.policy.after(job.claimed.attempts, find(&*error), find(&*error), Then::Dead);
        Outcome::Failed { then, error: full_text(&*error) }
    }
}

fn on_the_bus(Job { claimed, event, .. }: &Job, headers: Headers) -> ExternalEvent {
    let mut external = ExternalEvent::new(event.event_id, &*claimed.event_name, &*event.payload);
    external.version = claimed.version;
    external.key.clone_from(&claimed.key);
    external.correlation_id = headers.correlation_id;
    external.causation_id = headers.causation_id;
    external.traceparent = headers.traceparent;
    external.tracestate = headers.tracestate;
    external.recorded_at = claimed.recorded_at;
    external
}

/// The error itself or the first of its causes that is an `E`.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
