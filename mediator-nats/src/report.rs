//! What is told to those who watch: log events (feature `tracing`) and counters (feature `metrics`).

/// A message was received; of what event, if that is known.
pub(crate) fn received(outcome: &'static str, event: String) {
    #[cfg(feature = "metrics")]
    metrics::counter!("mediator.nats.received", "outcome" => outcome, "messaging.destination.name" => event)
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (outcome, event);
}

/// A message is no event.
pub(crate) fn malformed(sequence: u64, subject: &str, reason: &str) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "mediator_nats",
        { messaging.destination.name = subject, nats.stream.sequence = sequence, exception.message = reason },
        "a message is not understood and left in the stream"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (sequence, subject, reason);
}

/// The server or the outbox did not answer; they are asked again.
pub(crate) fn failed(error: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "mediator_nats", { exception.message = error }, "nothing can be received; it is tried again");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
