//! Spans and events, by the facade `tracing`, with the names of OpenTelemetry's messaging conventions.

use std::error::Error;
use std::fmt::Display;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Empty, display};
use tracing::{Level, error, event_enabled, span, span_enabled, warn};
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::{Kind, Metadata};
use tracing_core::subscriber::Interest;

use super::ended::Ended;
use super::{Operation, Subject};
use crate::handler::info::HandlerInfo;

const TARGET: &str = "mediator";

/// Whether anybody may be interested in any of it: one load where all subscribers have said that they never are.
#[inline]
pub(crate) fn is_on() -> bool {
    INTEREST.load(Ordering::Relaxed) != 0 && is_enabled()
}

#[inline(never)]
fn is_enabled() -> bool {
    event_enabled!(target: TARGET, Level::ERROR) || span_enabled!(target: TARGET, Level::INFO)
}

/// Has subscribers asked. They are when a mediator is built, since that allocates.
pub(crate) fn ask() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        callsite::register(&ERROR);
        callsite::register(&SPAN);
    });
}

/// The bits of what subscribers may be interested in; all is told in errors or within spans.
static INTEREST: AtomicU8 = AtomicU8::new(0);

/// What subscribers are asked about once, and again when there is another subscriber.
struct Sample {
    bit: u8,
    metadata: Metadata<'static>,
}

static ERROR: Sample = Sample::new(1, Level::ERROR, Kind::EVENT, tracing_core::identify_callsite!(&ERROR));
static SPAN: Sample = Sample::new(2, Level::INFO, Kind::SPAN, tracing_core::identify_callsite!(&SPAN));

impl Sample {
    const fn new(bit: u8, level: Level, kind: Kind, identifier: Identifier) -> Self {
        let fields = FieldSet::new(&[], identifier);
        Self { bit, metadata: Metadata::new("mediator", TARGET, level, None, None, None, fields, kind) }
    }
}

impl Callsite for Sample {
    fn set_interest(&self, interest: Interest) {
        if interest.is_never() {
            INTEREST.fetch_and(!self.bit, Ordering::Relaxed);
        } else {
            INTEREST.fetch_or(self.bit, Ordering::Relaxed);
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        &self.metadata
    }
}

/// A span around a publish, a send or a call of a handler.
pub(crate) struct Span(tracing::Span);

/// A span with the fields that all have, of the name and the operation that stand first.
macro_rules! message_span {
    ($name:literal, $kind:literal, $operation_type:literal, $subject:expr, $($field:tt)*) => {
        Span(span!(
            target: TARGET,
            Level::INFO,
            $name,
            otel.name = format_args!(concat!($name, " {}"), $subject.name),
            otel.kind = $kind,
            otel.status_code = Empty,
            messaging.system = "mediator",
            messaging.operation.name = $name,
            messaging.operation.type = $operation_type,
            messaging.destination.name = $subject.name,
            messaging.message.id = $subject.id.map(display),
            messaging.message.conversation_id = $subject.conversation.map(display),
            mediator.outcome = Empty,
            error.type = Empty,
            $($field)*
        ))
    };
}

impl Span {
    pub(crate) fn of_message(operation: Operation, subject: &Subject) -> Self {
        let causation = subject.causation.map(display);
        match operation {
            Operation::Publish => {
                message_span!("publish", "producer", "send", subject, mediator.causation_id = causation)
            }
            // The worker has a span around it, and the handler has its own.
            Operation::Deliver => Self(tracing::Span::none()),
            Operation::Send => message_span!("send", "producer", "send", subject, mediator.causation_id = causation),
        }
    }

    pub(crate) fn of_handler(subject: &Subject, handler: &HandlerInfo) -> Self {
        message_span!(
            "process",
            "consumer",
            "process",
            subject,
            mediator.handler = handler.name(),
            mediator.attempt = 1_i64
        )
    }

    pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        self.0.in_scope(run)
    }

    /// A behavior has called the handler so often, if more than once.
    pub(crate) fn note_attempts(&self, attempts: u32) {
        if attempts > 1 {
            self.0.record("mediator.attempt", attempts);
        }
    }

    pub(crate) fn end(&self, ended: &Ended<'_>) {
        self.0.record("mediator.outcome", ended.outcome());
        if let Some(error_type) = ended.error_type() {
            self.0.record("error.type", error_type);
        }
        if ended.is_error() {
            self.0.record("otel.status_code", "error");
        }
    }

    /// A handler has failed, or what is observed before any handler was called.
    pub(crate) fn tell_failure(&self, subject: &Subject, handler: Option<&HandlerInfo>, ended: &Ended<'_>) {
        match ended {
            Ended::Ok | Ended::Cancelled => {}
            Ended::Panicked(message) => self.tell(subject, handler, ended, None, Some(message)),
            Ended::Failed(failure) => self.tell(subject, handler, ended, failure.error(), failure.message()),
        }
    }

    fn tell(
        &self,
        subject: &Subject,
        handler: Option<&HandlerInfo>,
        ended: &Ended<'_>,
        error: Option<&(dyn Error + 'static)>,
        message: Option<&str>,
    ) {
        self.within(|| {
            error!(
                target: TARGET,
                {
                    error,
                    exception.message = message,
                    error.type = ended.error_type(),
                    messaging.destination.name = subject.name,
                    messaging.message.id = subject.id.map(display),
                    mediator.handler = handler.map(HandlerInfo::name),
                    mediator.outcome = ended.outcome(),
                },
                "{} failed",
                if handler.is_some() { "handler" } else { "message" }
            );
        });
    }

    /// A publish or a send was dropped before it had ended.
    pub(crate) fn tell_unfinished(
        &self,
        operation: Operation,
        subject: &Subject,
        cut_off: &impl Display,
        not_run: &impl Display,
    ) {
        self.within(|| {
            warn!(
                target: TARGET,
                {
                    messaging.destination.name = subject.name,
                    messaging.message.id = subject.id.map(display),
                    mediator.cut_off = %cut_off,
                    mediator.not_run = %not_run,
                },
                "{} was dropped unfinished",
                operation.name()
            );
        });
    }
}
