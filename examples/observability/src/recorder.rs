//! A recorder of `metrics` that records with a meter of OpenTelemetry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use metrics::{Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

pub(crate) struct Recorder {
    meter: Meter,
    units: Mutex<HashMap<KeyName, Unit>>,
}

impl Recorder {
    pub(crate) fn new(meter: Meter) -> Self {
        Self { meter, units: Mutex::default() }
    }

    fn describe(&self, key: KeyName, unit: Option<Unit>) {
        unit.map(|unit| self.units.lock().expect("no panic").insert(key, unit));
    }

    fn unit(&self, key: &Key) -> &'static str {
        self.units.lock().expect("no panic").get(key.name()).map_or("", Unit::as_canonical_label)
    }
}

/// An instrument with the labels of one series.
struct Series<I>(I, Vec<KeyValue>);

impl<I> Series<I> {
    fn new(instrument: I, key: &Key) -> Arc<Self> {
        let labels = key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()));
        Arc::new(Self(instrument, labels.collect()))
    }
}

impl CounterFn for Series<opentelemetry::metrics::Counter<u64>> {
    fn increment(&self, value: u64) {
        self.0.add(value, &self.1);
    }

    // The mediator does not use it.
    fn absolute(&self, _value: u64) {}
}

impl HistogramFn for Series<opentelemetry::metrics::Histogram<f64>> {
    fn record(&self, value: f64) {
        self.0.record(value, &self.1);
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _description: SharedString) {
        self.describe(key, unit);
    }

    fn register_counter(&self, key: &Key, _metadata: &Metadata<'_>) -> Counter {
        let counter = self.meter.u64_counter(key.name().to_owned()).with_unit(self.unit(key)).build();
        Counter::from_arc(Series::new(counter, key))
    }

    // The mediator has no gauges.
    fn register_gauge(&self, _key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        let histogram = self.meter.f64_histogram(key.name().to_owned()).with_unit(self.unit(key)).build();
        Histogram::from_arc(Series::new(histogram, key))
    }
}
