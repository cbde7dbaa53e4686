//! What those who watch are told.

use std::sync::{Arc, Mutex};

use mediator_core::prelude::*;
use mediator_outbox::{Clock, InMemoryOutbox};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry::trace::{SpanKind, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use serde::{Deserialize, Serialize};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

#[event(name = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event_handler(durable, manual, name = "mail.confirm", retry(attempts = 3, base = "1s"))]
async fn confirm(_event: &OrderPlaced, failures: Arc<Mutex<u32>>) -> Result<(), &'static str> {
    let mut failures = failures.lock().unwrap();
    match failures.checked_sub(1) {
        Some(left) => {
            *failures = left;
            Err("the server is down")
        }
        None => Ok(()),
    }
}

/// A span that is first opened while another thread installs its subscriber may be lost.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn mediator(outbox: &InMemoryOutbox, failures: u32) -> Mediator {
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone());
    builder.provide(Arc::new(Mutex::new(failures))).bind_fn(confirm).build().unwrap()
}

fn named<'a>(spans: &'a [SpanData], name: &str) -> Vec<&'a SpanData> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test]
#[allow(clippy::await_holding_lock)] // The other test has a runtime of its own.
async fn the_first_attempt_continues_the_trace_and_a_retry_has_a_link_to_it() {
    let _alone = ONE_AT_A_TIME.lock();
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let clock = Clock::fixed(std::time::SystemTime::UNIX_EPOCH);
    let outbox = InMemoryOutbox::with_clock(clock.clone());
    let mediator = mediator(&outbox, 1);
    let request = tracing::info_span!("request");
    mediator.publish(OrderPlaced::new("o-1".into())).instrument(request).await.unwrap();
    outbox.worker(&mediator).drain().await.unwrap();
    clock.advance(std::time::Duration::from_secs(10));
    outbox.worker(&mediator).drain().await.unwrap();

    let spans = exporter.get_finished_spans().unwrap();
    let publish = named(&spans, "publish orders.placed")[0];
    let [first, second] = *named(&spans, "deliver orders.placed") else { panic!("two attempts: {spans:#?}") };
    assert_eq!(first.span_kind, SpanKind::Consumer);
    assert_eq!(first.span_context.trace_id(), publish.span_context.trace_id());
    assert_eq!(first.parent_span_id, publish.span_context.span_id());
    assert!(first.links.is_empty());
    assert_ne!(second.span_context.trace_id(), publish.span_context.trace_id());
    assert_eq!(second.links[0].span_context.span_id(), publish.span_context.span_id());
    let handled = named(&spans, "process orders.placed");
    assert_eq!(handled.len(), 2);
    assert_eq!(handled[0].parent_span_id, first.span_context.span_id());
}

#[test]
fn deliveries_are_counted_and_measured_by_handler() {
    let _alone = ONE_AT_A_TIME.lock();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = Clock::fixed(std::time::SystemTime::UNIX_EPOCH);
            let outbox = InMemoryOutbox::with_clock(clock.clone());
            let mediator = mediator(&outbox, 1);
            mediator.publish(OrderPlaced::new("o-1".into())).await.unwrap();
            outbox.worker(&mediator).drain().await.unwrap();
            clock.advance(std::time::Duration::from_secs(10));
            outbox.worker(&mediator).drain().await.unwrap();
        });
    });
    let snapshot = snapshotter.snapshot().into_vec();
    let count = |name: &str| {
        let found = snapshot.iter().find(|(key, ..)| key.key().name() == name);
        match found.map(|(.., value)| value) {
            Some(DebugValue::Counter(count)) => *count,
            Some(DebugValue::Histogram(values)) => values.len() as u64,
            _ => 0,
        }
    };
    let counted = ["claimed", "done", "retried", "dead", "fenced"].map(|it| count(&format!("mediator.outbox.{it}")));
    assert_eq!(counted, [2, 1, 1, 0, 0]);
    assert_eq!(count("mediator.outbox.run.duration"), 2);
    assert_eq!(count("mediator.outbox.wait.duration"), 2);
}
