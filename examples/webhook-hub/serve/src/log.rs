//! What operators read on the standard error, and the traces that it refers to.

use std::{env, fmt, io};

use anyhow::Context as _;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Unless `RUST_LOG` says otherwise. PostgreSQL lets one know at each start that the tables are there already.
const INTEREST: &str = "info,sqlx=warn";

/// Writes to the standard error, and gives each accepted webhook a trace.
///
/// Nobody collects the spans: the ids lead from a line of the log to the page, and through NATS to other services.
pub(crate) fn install() -> anyhow::Result<()> {
    let interest = env::var("RUST_LOG").unwrap_or_else(|_| INTEREST.to_owned());
    let interest: EnvFilter = interest.parse().with_context(|| format!("`{interest}` in `RUST_LOG` is no filter"))?;
    let lines = tracing_subscriber::fmt::layer().event_format(Line).with_writer(io::stderr).with_filter(interest);
    let tracer = SdkTracerProvider::builder().build().tracer("webhook-hub");
    let traces = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(lines).with(traces).try_init().context("cannot write a log")
}

/// When, how bad, by whom and what; and within which trace. Not the spans: what is told names event and handler.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut line)?;
        write!(line, " {:>5} {}: ", event.metadata().level(), event.metadata().target())?;
        context.format_fields(line.by_ref(), event)?;
        let trace = Context::current().span().span_context().trace_id();
        if trace != TraceId::INVALID {
            write!(line, " trace={trace}")?;
        }
        writeln!(line)
    }
}
