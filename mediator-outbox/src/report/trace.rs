//! W3C trace context (<https://www.w3.org/TR/trace-context/>) in the headers of events.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Span;
use crate::headers::Headers;

/// Notes the current span as the parent of what is delivered.
pub(super) fn inject(headers: &mut Headers) {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return;
    }
    let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    headers.traceparent = Some(format!("00-{trace}-{id}-{flags:02x}"));
    headers.tracestate = Some(span.trace_state().header()).filter(|state| !state.is_empty());
}

/// Makes the recorded span the parent of this one, or links to it.
pub(super) fn extract(span: &Span, headers: &Headers, is_parent: bool) {
    let Some(recorded) = headers.traceparent.as_deref().and_then(|parent| parse(parent, headers)) else { return };
    if is_parent {
        // Fails only for a span that nobody records.
        let _ = span.0.set_parent(Context::new().with_remote_span_context(recorded));
    } else {
        span.0.add_link(recorded);
    }
}

/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`
fn parse(parent: &str, headers: &Headers) -> Option<SpanContext> {
    let mut parts = parent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let state = headers.tracestate.as_deref().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let context = SpanContext::new(TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags, true, state);
    context.is_valid().then_some(context)
}
