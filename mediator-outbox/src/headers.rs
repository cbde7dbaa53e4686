//! What is recorded beside an event.

use mediator_core::EventId;
use mediator_core::durable::{ExternalEvent, Recording};
use serde::{Deserialize, Serialize};

use crate::report;

/// The headers of a recorded event, a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Headers {
    /// The id of the outermost event that was being handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<EventId>,
    /// The id of the event whose handler published this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) causation_id: Option<EventId>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
    /// The same, of vendors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tracestate: Option<String>,
    /// The other service that has published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

impl Headers {
    pub(crate) fn of(recording: &Recording<'_>) -> Self {
        let (correlation_id, causation_id) = (recording.correlation_id, recording.causation_id);
        let mut headers = Self { correlation_id, causation_id, ..Self::default() };
        report::add_trace(&mut headers);
        headers
    }

    pub(crate) fn of_received(event: &ExternalEvent) -> Self {
        let ExternalEvent { correlation_id, causation_id, .. } = *event;
        let (traceparent, tracestate) = (event.traceparent.clone(), event.tracestate.clone());
        Self { correlation_id, causation_id, traceparent, tracestate, source: event.source.clone() }
    }

    /// `None` if there are none.
    pub(crate) fn to_json(&self) -> Option<String> {
        if *self == Self::default() { None } else { serde_json::to_string(self).ok() }
    }

    /// What can be read of recorded headers; those of others may have more.
    pub(crate) fn from_json(headers: Option<&str>) -> Self {
        headers.and_then(|headers| serde_json::from_str(headers).ok()).unwrap_or_default()
    }
}
