//! Feature `metrics`.

use std::pin::pin;
use std::task::{Context, Waker};

use futures::executor::block_on;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::recorded::alone;
use super::world::*;

/// Of one series: its name, the last parts of its labels, and what was counted or how often it was measured.
type Series = (String, String, u64);

fn measured(run: impl FnOnce()) -> Vec<Series> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    alone(|| metrics::with_local_recorder(&recorder, run));
    let series = snapshotter.snapshot().into_vec().into_iter().filter_map(|(key, unit, _, value)| {
        let name = key.key().name().to_owned();
        let labels: Vec<_> = key.key().labels().filter(|label| label.key() != "messaging.system").collect();
        let last = |value: &str| value.rsplit("::").next().unwrap_or_default().to_owned();
        let labels: Vec<_> =
            labels.into_iter().map(|label| format!("{}={}", label.key(), last(label.value()))).collect();
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => {
                assert_eq!((key.kind(), unit), (MetricKind::Histogram, Some(metrics::Unit::Seconds)));
                assert!(values.iter().all(|seconds| (0.0..10.0).contains(&**seconds)));
                values.len() as u64
            }
            DebugValue::Gauge(_) => panic!("no gauges"),
        };
        (count > 0).then(|| (name, labels.join(" "), count))
    });
    let mut series: Vec<_> = series.collect();
    series.sort();
    series
}

fn series(name: &str, labels: &str, count: u64) -> Series {
    (name.to_owned(), labels.to_owned(), count)
}

const ORDER: &str = "messaging.operation.name=process messaging.destination.name=OrderPlaced mediator.handler=";

#[test]
fn what_is_handled_is_counted_and_measured() {
    let measured = measured(|| {
        let mediator = mediator();
        for _ in 0..3 {
            block_on(mediator.publish(OrderPlaced::new(Wish::Work))).unwrap();
        }
    });
    let process = |event: &str, handler: &str| {
        format!("messaging.operation.name=process messaging.destination.name={event} mediator.handler={handler}")
    };
    let handled =
        [("Divide", "divide"), ("OrderPlaced", "reserve"), ("OrderPlaced", "thank"), ("StockReserved", "ship")];
    let consumed =
        handled.map(|(event, handler)| series("messaging.client.consumed.messages", &process(event, handler), 3));
    let sent =
        [("publish", "OrderPlaced"), ("publish", "StockReserved"), ("send", "Divide")].map(|(operation, event)| {
            let labels = format!("messaging.operation.name={operation} messaging.destination.name={event}");
            series("messaging.client.sent.messages", &labels, 3)
        });
    let durations = handled.map(|(event, handler)| series("messaging.process.duration", &process(event, handler), 3));
    assert_eq!(measured, [&consumed[..], &sent, &durations].concat());
}

#[test]
fn failures_and_cancellations_are_counted_apart() {
    let measured = measured(|| {
        let mediator = mediator();
        block_on(mediator.publish(OrderPlaced::new(Wish::Fail))).unwrap_err();
        block_on(mediator.publish(OrderPlaced::new(Wish::Panic))).unwrap_err();
        let mut publish = pin!(mediator.publish(OrderPlaced::new(Wish::Wait)));
        assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    let reserve = format!("{ORDER}reserve");
    for expected in [
        series("messaging.client.consumed.messages", &reserve, 3),
        series("mediator.process.failed", &reserve, 2),
        series("mediator.process.cancelled", &reserve, 1),
        series("messaging.process.duration", &format!("{reserve} error.type=_OTHER"), 1),
        series("messaging.process.duration", &format!("{reserve} error.type=panic"), 1),
        series("messaging.process.duration", &format!("{reserve} error.type=cancelled"), 1),
    ] {
        assert!(measured.contains(&expected), "{expected:?} in {measured:#?}");
    }
}

#[test]
fn a_mediator_that_was_built_without_a_recorder_measures_nothing() {
    let mediator = mediator();
    let measured = measured(|| block_on(mediator.publish(OrderPlaced::new(Wish::Work))).unwrap());
    assert!(measured.is_empty(), "{measured:#?}");
}

#[test]
fn a_recorder_without_fields_is_noticed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNTED: AtomicU64 = AtomicU64::new(0);

    struct Nothing;

    struct Count;

    impl metrics::CounterFn for Count {
        fn increment(&self, value: u64) {
            COUNTED.fetch_add(value, Ordering::Relaxed);
        }

        fn absolute(&self, _value: u64) {}
    }

    impl metrics::HistogramFn for Count {
        fn record(&self, _value: f64) {}
    }

    impl metrics::Recorder for Nothing {
        fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
            metrics::Counter::from_arc(Arc::new(Count))
        }
        fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
            metrics::Gauge::noop()
        }
        fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
            metrics::Histogram::from_arc(Arc::new(Count))
        }
    }

    alone(|| {
        metrics::with_local_recorder(&Nothing, || block_on(mediator().publish(StockReserved::new())).unwrap());
    });
    assert_eq!(COUNTED.load(Ordering::Relaxed), 4);
}
