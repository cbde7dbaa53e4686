//! What is told of publishes, sends and calls of handlers: features `tracing`, `metrics` and `testing`.
#![cfg_attr(not(feature = "tracing"), allow(dead_code))] // Measurements tell less than spans.

pub(crate) mod ended;
#[cfg_attr(not(feature = "metrics"), path = "no_meters.rs")]
pub(crate) mod meters;
#[cfg_attr(not(feature = "testing"), path = "no_records.rs")]
pub(crate) mod records;
#[cfg_attr(not(feature = "tracing"), path = "no_spans.rs")]
pub(crate) mod spans;

use crate::event::id::EventId;

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Publish,
    Send,
    /// Calls a durable handler with an event that was published before.
    #[cfg_attr(not(feature = "durable"), allow(dead_code))]
    Deliver,
}

impl Operation {
    /// As the conventions say: `messaging.operation.name`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Send => "send",
            Self::Deliver => "deliver",
        }
    }
}

/// An event or a request, and what it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// Of the event or the request.
    pub(crate) name: &'static str,
    /// Of the event, if it has one.
    pub(crate) id: Option<EventId>,
    /// Of the outermost event that is being handled.
    pub(crate) conversation: Option<EventId>,
    /// Of the event whose handler publishes or sends this one.
    pub(crate) causation: Option<EventId>,
}
