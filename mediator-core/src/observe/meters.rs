//! What is counted and measured, by the facade `metrics`.

use std::cell::Cell;
use std::time::Duration;

use metrics::{IntoF64, Unit, counter, describe_counter, describe_histogram, histogram, with_recorder};

use super::ended::Ended;
use super::{Operation, Subject};
use crate::handler::info::HandlerInfo;

// Names of OpenTelemetry's messaging conventions, as far as they have some.
const SENT: &str = "messaging.client.sent.messages";
const HANDLED: &str = "messaging.client.consumed.messages";
const FAILED: &str = "mediator.process.failed";
const CANCELLED: &str = "mediator.process.cancelled";
const DURATION: &str = "messaging.process.duration";

/// Whether anybody records, and says what the names mean if so.
pub(crate) fn describe() -> bool {
    let is_recorded = is_recorded();
    if is_recorded {
        describe_counter!(SENT, "Events that were published, and requests that were sent");
        describe_counter!(HANDLED, "Calls of handlers that have ended, in whatever way");
        describe_counter!(FAILED, "Calls of handlers that returned an error or panicked");
        describe_counter!(CANCELLED, "Calls of handlers that were dropped unfinished");
        describe_histogram!(DURATION, Unit::Seconds, "Duration of the calls of handlers");
    }
    is_recorded
}

/// Whether there is a recorder. The facade does not tell; but while there is none, it uses one without any fields, whose
/// histograms never ask for the value.
fn is_recorded() -> bool {
    struct Asked<'a>(&'a Cell<bool>);

    impl IntoF64 for Asked<'_> {
        fn into_f64(self) -> f64 {
            self.0.set(true);
            0.0
        }
    }

    let asked = Cell::new(false);
    with_recorder(|recorder| size_of_val(recorder)) > 0 || {
        // Records nothing.
        histogram!(DURATION).record_many(Asked(&asked), 0);
        asked.get()
    }
}

pub(crate) fn sent(operation: Operation, subject: &Subject) {
    let labels = labels(operation.name(), subject);
    counter!(SENT, &labels).increment(1);
}

/// A call of a handler has ended.
pub(crate) fn handled(subject: &Subject, handler: &HandlerInfo, took: Duration, ended: &Ended<'_>) {
    let [system, operation, destination] = labels("process", subject);
    let labels = [system, operation, destination, ("mediator.handler", handler.name())];
    counter!(HANDLED, &labels).increment(1);
    match ended {
        Ended::Ok => {}
        Ended::Failed(_) | Ended::Panicked(_) => counter!(FAILED, &labels).increment(1),
        Ended::Cancelled => counter!(CANCELLED, &labels).increment(1),
    }
    let error_type = ended.error_type().map(|error_type| ("error.type", error_type));
    let labels: Vec<_> = labels.into_iter().chain(error_type).collect();
    histogram!(DURATION, &labels).record(took);
}

fn labels(operation: &'static str, subject: &Subject) -> [(&'static str, &'static str); 3] {
    [
        ("messaging.system", "mediator"),
        ("messaging.operation.name", operation),
        ("messaging.destination.name", subject.name),
    ]
}
