//! Spans and metrics of publishes, sends and handlers, exported by OpenTelemetry to the standard output.
//!
//! `cargo run -p observability`

mod recorder;

use mediator_core::prelude::*;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use recorder::Recorder;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter};

#[event]
struct OrderPlaced {
    item: String,
}

#[event]
struct StockReserved {}

#[request(u32)]
struct StockOf(String);

#[event_handler(before = tell_customer)]
async fn reserve_stock(event: &OrderPlaced, publisher: &Publisher, sender: &Sender) -> anyhow::Result<()> {
    let stock = sender.send(StockOf(event.item.clone())).await?;
    anyhow::ensure!(stock > 0, "{} is out of stock", event.item);
    publisher.publish(StockReserved::new()).await?;
    Ok(())
}

#[event_handler]
fn tell_customer(_event: &OrderPlaced) {}

#[event_handler]
async fn ship(_event: &StockReserved) {}

#[request_handler]
async fn stock(request: &StockOf) -> u32 {
    if request.0 == "lamp" { 3 } else { 0 }
}

/// Spans of the mediator go to OpenTelemetry; a failure makes the span of its handler an error.
fn export_spans() -> SdkTracerProvider {
    let exporter = opentelemetry_stdout::SpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("observability"));
    let interest = filter::Targets::new().with_target("mediator", filter::LevelFilter::INFO);
    tracing_subscriber::registry().with(layer.with_filter(interest)).init();
    provider
}

/// What is recorded by `metrics` goes to OpenTelemetry.
fn export_metrics() -> anyhow::Result<SdkMeterProvider> {
    let exporter = opentelemetry_stdout::MetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
    metrics::set_global_recorder(Recorder::new(provider.meter("observability")))?;
    Ok(provider)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let spans = export_spans();
    // Before the mediator is built, which asks whether there is a recorder.
    let metrics = export_metrics()?;
    let mediator = Mediator::new()?;
    mediator.publish(OrderPlaced::new("lamp".into())).await?;
    if let Err(error) = mediator.publish(OrderPlaced::new("sofa".into())).await {
        println!("{error:#}");
    }
    spans.shutdown()?;
    metrics.shutdown()?;
    Ok(())
}
