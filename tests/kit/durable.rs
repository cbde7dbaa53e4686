//! Durable handlers: what is recorded of their deliveries, and stand-ins for them.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::durable::{DurableHandler, LentToOutbox, Outbox, OutboxFuture, Recording};
use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, Status, assert_published};
use mediator_core::{MediatorBuilder, PublishErrorKind};
use mediator_tests::Log;
use serde::{Deserialize, Serialize};

use crate::world::*;

#[event(name = "parcels.sent")]
#[derive(Serialize, Deserialize)]
struct ParcelSent {
    weight: u32,
}

#[event_handler(durable, manual, name = "tracking")]
async fn track(event: &ParcelSent, publisher: &Publisher, log: Log) -> anyhow::Result<()> {
    anyhow::ensure!(event.weight > 0, "an empty parcel");
    log.add("tracked");
    publisher.publish(Counted(event.weight)).await?;
    Ok(())
}

#[event_handler(manual, name = "ordinary")]
fn weigh(_event: &ParcelSent) {}

/// Knows what was recorded, or fails.
#[derive(Default)]
struct Stub {
    recorded: Mutex<Vec<String>>,
    fails: AtomicBool,
}

#[derive(Clone, Default)]
struct Shared(Arc<Stub>);

impl Outbox for Shared {
    fn connection(&self) -> Option<TypeId> {
        None
    }

    fn attach(&self, _handlers: &[DurableHandler]) {}

    fn record<'a>(&'a self, recording: Recording<'a>) -> OutboxFuture<'a, ()> {
        Box::pin(async move {
            if self.0.fails.load(Ordering::Relaxed) {
                return Err("the disk is full".into());
            }
            let mut recorded = self.0.recorded.lock().unwrap();
            recorded.extend(recording.handlers.iter().map(|handler| format!("{} for {handler}", recording.name)));
            Ok(())
        })
    }

    fn unschedule<'a>(&'a self, _event: EventId, _lent: LentToOutbox<'a>) -> OutboxFuture<'a, u64> {
        Box::pin(async { Ok(0) })
    }
}

fn parcels(recorder: &Recorder, log: &Log) -> MediatorBuilder {
    recorded(recorder).provide(log.clone()).bind_fn(track).bind_fn(weigh)
}

/// What a worker does.
fn deliver(mediator: &Mediator, event: &ParcelSent) -> Result<(), PublishError> {
    block_on(mediator.deliver(&mediator.durable_handlers()[0], event))
}

#[test]
fn deliveries_are_below_the_publish_that_recorded_them() {
    let (recorder, log) = (Recorder::new(), Log::default());
    let mediator = parcels(&recorder, &log).outbox(Shared::default()).build().unwrap();
    block_on(mediator.publish(ParcelSent::new(0))).unwrap();
    block_on(mediator.publish(ParcelSent::new(3))).unwrap();
    let sent = recorder.published::<ParcelSent>();
    deliver(&mediator, &sent[1]).unwrap();
    deliver(&mediator, &sent[0]).unwrap_err();
    assert_eq!(log.entries(), ["tracked"]);
    assert_eq!(recorder.published::<ParcelSent>().len(), 2, "a delivery is no publish");
    assert!(recorder.records()[2].is_delivery());
    insta::assert_snapshot!(recorder, @r"
    event parcels.sent #1: ok
    ├─ ordinary: ok
    └─ delivery parcels.sent #1: failed
       └─ tracking: failed: an empty parcel
    event parcels.sent #2: ok
    ├─ ordinary: ok
    └─ delivery parcels.sent #2: ok
       └─ tracking: ok
          └─ event kit::world::Counted: ok
    ");
}

#[test]
fn a_publish_that_cannot_be_recorded_gives_its_event_back_and_is_refused() {
    let (recorder, outbox) = (Recorder::new(), Shared::default());
    outbox.0.fails.store(true, Ordering::Relaxed);
    let mediator = parcels(&recorder, &Log::default()).outbox(outbox).build().unwrap();
    for with in [false, true] {
        let error = match with {
            true => block_on(mediator.publish_with(&GroupEventPublisher, ParcelSent::new(1))).unwrap_err(),
            false => block_on(mediator.publish(ParcelSent::new(1))).unwrap_err(),
        };
        assert_eq!((error.kind(), error.unpublished().len()), (PublishErrorKind::NotRecorded, 1));
        let record = recorder.records().pop().unwrap();
        assert!(matches!(record.status(), Status::Refused(text) if text.contains("the disk is full")), "{record:?}");
    }
    assert!(recorder.published::<ParcelSent>().is_empty());
}

#[test]
fn a_stand_in_for_a_durable_handler_gets_its_deliveries() {
    let (recorder, log, outbox) = (Recorder::new(), Log::default(), Shared::default());
    let stand_in = log.clone();
    let builder = parcels(&recorder, &log).outbox(outbox.clone());
    let builder = builder.replace_fn::<ParcelSent>(track, move |_: &ParcelSent| stand_in.add("stand-in"));
    let mediator = builder.build().unwrap();
    block_on(mediator.publish(ParcelSent::new(1))).unwrap();
    assert_eq!(*outbox.0.recorded.lock().unwrap(), ["parcels.sent for tracking"]);
    deliver(&mediator, &recorder.published::<ParcelSent>()[0]).unwrap();
    assert_eq!(log.entries(), ["stand-in"]);
}

#[test]
fn record_only_needs_no_outbox() {
    let recorder = Recorder::new();
    let mediator = parcels(&recorder, &Log::default()).record_only().build().unwrap();
    block_on(mediator.publish(ParcelSent::new(1))).unwrap();
    assert_published!(recorder, ParcelSent { weight: 1, .. });
}

#[event_handler(durable, manual, name = "labels")]
fn label(_event: &ParcelSent, log: Log) {
    log.add("labelled");
}

#[test]
fn durable_handlers_that_run_inline_stop_at_a_failure_as_the_strategy_says() {
    for (runs_all, expected) in [(false, &[][..]), (true, &["labelled"])] {
        let log = Log::default();
        let builder = Mediator::builder().without_discovery().bind_fn(track).bind_fn(label).provide(log.clone());
        let builder = builder.durable_inline();
        let mediator = match runs_all {
            true => builder.event_publisher(BestEffortEventPublisher).build().unwrap(),
            false => builder.build().unwrap(),
        };
        let error = block_on(mediator.publish(ParcelSent::new(0))).unwrap_err();
        assert_eq!(error.failures()[0].handler().name(), "tracking");
        assert_eq!(log.entries(), expected);
    }
}
