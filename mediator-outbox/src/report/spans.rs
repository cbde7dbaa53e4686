//! Spans and log events, by the facade `tracing`.

use std::error::Error;

use mediator_core::EventId;
use tracing::{Instrument, field::Empty, warn};

use crate::error::StoreError;
use crate::store::{Claimed, Lease};

const TARGET: &str = "mediator_outbox";

/// The span around an attempt.
pub(crate) struct Span(pub(super) tracing::Span);

impl Span {
    pub(super) fn of_attempt(claimed: &Claimed, event_id: EventId) -> Self {
        Self(tracing::info_span!(
            target: TARGET,
            parent: None,
            "deliver",
            otel.name = format_args!("deliver {}", claimed.event_name),
            otel.kind = "consumer",
            otel.status_code = Empty,
            messaging.system = "mediator",
            messaging.operation.name = "deliver",
            messaging.operation.type = "process",
            messaging.destination.name = claimed.event_name,
            messaging.destination.subscription.name = claimed.handler,
            messaging.message.id = %event_id,
            mediator.delivery = claimed.lease.delivery,
            mediator.attempt = claimed.attempts,
        ))
    }

    /// Runs an attempt within the span.
    pub(crate) fn around<F: Future>(self, attempt: F) -> impl Future<Output = F::Output> {
        attempt.instrument(self.0)
    }

    /// Notes on the current span that the attempt has failed.
    pub(crate) fn failed() {
        tracing::Span::current().record("otel.status_code", "error");
    }
}

pub(super) fn warn_of_store(error: &StoreError) {
    warn!(target: TARGET, error = error as &(dyn Error + 'static), "the store cannot be asked; it is asked again");
}

pub(super) fn warn_of_no_watchdog(error: &std::io::Error) {
    warn!(target: TARGET, error = error as &(dyn Error + 'static), "a handler that never yields may lose its lease");
}

pub(super) fn warn_of_lost_lease(lease: Lease) {
    warn!(target: TARGET, { mediator.delivery = lease.delivery }, "a lease was lost; its handler is cancelled");
}

pub(super) fn warn_of_fenced(count: usize) {
    warn!(target: TARGET, count, "deliveries ended after their leases were lost; what they reported is not recorded");
}

pub(super) fn warn_of_repaired(count: u64) {
    warn!(target: TARGET, count, "deliveries waited behind nothing, as after rows are changed by hand; they are ready now");
}

pub(super) fn tell_dead(claimed: &Claimed, error: &str) {
    tracing::error!(
        target: TARGET,
        {
            messaging.destination.name = claimed.event_name,
            messaging.destination.subscription.name = claimed.handler,
            mediator.delivery = claimed.lease.delivery,
            mediator.attempt = claimed.attempts,
            exception.message = error,
        },
        "a delivery is dead"
    );
}
