//! The strategies: one after another, all at once, and the user's own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use futures::FutureExt;
use futures::executor::block_on;
use futures::stream::{FuturesUnordered, StreamExt};
use mediator_core::prelude::*;
use mediator_core::{Deliveries, Delivery, HandlerFailure, MediatorBuilder};
use mediator_tests::{
    BestEffort, Log, Said, Script, Stepped, bind_scripted, error, forever, gate, names, ok, panic, pending,
};

#[event]
struct Tick;

fn explicit() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// What happens in a publish to handlers with these scripts, and what is said of it.
fn publish(strategy: &impl EventPublisher, scripts: &[Script]) -> (Vec<String>, Option<Said>) {
    let log = Log::default();
    let mediator = bind_scripted::<Tick>(explicit(), &log, scripts).build().unwrap();
    let published = block_on(mediator.publish_with(strategy, Tick::new()));
    (log.take(), published.err().as_ref().map(Said::by))
}

#[test]
fn sequential_is_the_default_and_runs_one_handler_after_another() {
    let log = Log::default();
    let mediator = bind_scripted::<Tick>(explicit(), &log, &[ok(2), ok(0), ok(1)]).build().unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
    assert_eq!(log.entries(), ["0 starts", "0 ends", "1 starts", "1 ends", "2 starts", "2 ends"]);
}

#[test]
fn sequential_stops_at_the_first_failure() {
    for times in [0, 2] {
        let (log, said) = publish(&SequentialEventPublisher, &[ok(1), error(times), ok(0), panic(0)]);
        assert_eq!(log, ["0 starts", "0 ends", "1 starts", "1 fails"]);
        let expected = Said { failures: vec!["error of 1".into()], cancelled: vec![], not_run: vec![2, 3] };
        assert_eq!(said, Some(expected));

        let (log, said) = publish(&SequentialEventPublisher, &[panic(times), ok(0)]);
        assert_eq!(log, ["0 starts", "0 panics"]);
        let expected = Said { failures: vec!["panic of 0".into()], cancelled: vec![], not_run: vec![1] };
        assert_eq!(said, Some(expected));
    }
}

#[test]
fn group_starts_all_handlers_in_order_and_goes_on_with_each_when_it_can() {
    let (log, said) = publish(&GroupEventPublisher, &[ok(2), ok(0), ok(1)]);
    assert_eq!(log, ["0 starts", "1 starts", "1 ends", "2 starts", "2 ends", "0 ends"]);
    assert_eq!(said, None);
}

#[test]
fn group_starts_every_handler_even_if_the_first_fails_at_once() {
    let (log, said) = publish(&GroupEventPublisher, &[error(0), panic(0), forever(), error(0), ok(0), forever()]);
    let (started, dropped) = log.split_at(log.len() - 2);
    assert_eq!(
        started,
        [
            "0 starts", "0 fails", "1 starts", "1 panics", "2 starts", "3 starts", "3 fails", "4 starts", "4 ends",
            "5 starts"
        ]
    );
    assert_eq!(dropped, ["2 is dropped", "5 is dropped"]);
    let failures = ["error of 0", "panic of 1", "error of 3"].map(Into::into).to_vec();
    assert_eq!(said, Some(Said { failures, cancelled: vec![2, 5], not_run: vec![] }));
}

#[test]
fn group_finishes_the_pass_in_which_a_handler_fails_and_drops_the_rest() {
    let (log, said) = publish(&GroupEventPublisher, &[forever(), error(2), ok(1), panic(2), ok(2), error(3)]);
    assert_eq!(log[log.len() - 5..], ["1 fails", "3 panics", "4 ends", "0 is dropped", "5 is dropped"]);
    let failures = ["error of 1", "panic of 3"].map(Into::into).to_vec();
    assert_eq!(said, Some(Said { failures, cancelled: vec![0, 5], not_run: vec![] }));
}

#[test]
fn group_reports_failures_in_the_order_of_the_handlers() {
    let (_, said) = publish(&GroupEventPublisher, &[error(3), panic(3), error(3)]);
    assert_eq!(said.unwrap().failures, ["error of 0", "panic of 1", "error of 2"]);
}

#[test]
fn group_runs_handlers_that_wait_for_each_other() {
    #[derive(Clone)]
    struct Rendezvous(Arc<AtomicUsize>);

    async fn meet(rendezvous: &Rendezvous) {
        rendezvous.0.fetch_add(1, Ordering::Relaxed);
        while rendezvous.0.load(Ordering::Relaxed) < 2 {
            pending(1).await;
        }
    }

    #[derive(Inject)]
    struct Alice(Rendezvous);
    #[derive(Inject)]
    struct Bob(Rendezvous);

    impl EventHandler<Tick> for Alice {
        async fn handle(&self, _event: &Tick) {
            meet(&self.0).await;
        }
    }

    impl EventHandler<Tick> for Bob {
        async fn handle(&self, _event: &Tick) {
            meet(&self.0).await;
        }
    }

    let mediator = explicit()
        .provide(Rendezvous(Arc::default()))
        .event_publisher(GroupEventPublisher)
        .bind::<Tick, Alice>()
        .bind::<Tick, Bob>()
        .build()
        .unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
}

#[test]
fn group_asks_to_be_polled_only_when_a_handler_does() {
    let log = Log::default();
    let ((open_a, a), (open_b, b)) = (gate(), gate());
    let (log_a, log_b) = (log.clone(), log.clone());
    let mediator = explicit()
        .bind_handler::<Tick, _>(mediator_tests::On(move |_: &Tick| {
            let (gate, log) = (a.clone(), log_a.clone());
            async move {
                gate.await.unwrap();
                log.add("a");
            }
        }))
        .bind_handler::<Tick, _>(mediator_tests::On(move |_: &Tick| {
            let (gate, log) = (b.clone(), log_b.clone());
            async move {
                gate.await.unwrap();
                log.add("b");
            }
        }))
        .build()
        .unwrap();
    let mut publish = Stepped::new(mediator.publish_with(&GroupEventPublisher, Tick::new()));
    assert!(publish.run_until_stalled().is_pending());
    open_b.send(()).unwrap();
    assert!(publish.woken(), "a handler became ready and nobody was told");
    assert!(publish.run_until_stalled().is_pending());
    assert_eq!(log.entries(), ["b"]);
    open_a.send(()).unwrap();
    assert!(publish.woken(), "a handler became ready and nobody was told");
    assert!(matches!(publish.run_until_stalled(), Poll::Ready(Ok(()))));
    assert_eq!(log.entries(), ["b", "a"]);
}

#[test]
fn a_strategy_can_be_set_for_a_mediator_and_for_one_call() {
    let scripts = [ok(1), ok(0)];
    let sequential = ["0 starts", "0 ends", "1 starts", "1 ends"];
    let group = ["0 starts", "1 starts", "1 ends", "0 ends"];

    let log = Log::default();
    let build = |builder| bind_scripted::<Tick>(builder, &log, &scripts).build().unwrap();
    let default = build(explicit());
    let grouped = build(explicit().event_publisher(GroupEventPublisher));
    let replaced = build(explicit().event_publisher(GroupEventPublisher).event_publisher(SequentialEventPublisher));

    for (mediator, usually) in [(&default, sequential), (&grouped, group), (&replaced, sequential)] {
        let publisher = mediator.publisher().downgrade();
        block_on(mediator.publish(Tick::new())).unwrap();
        assert_eq!(log.take(), usually);
        block_on(publisher.publish(Tick::new())).unwrap();
        assert_eq!(log.take(), usually);
        block_on(mediator.publish_all(vec![Box::new(Tick::new())])).unwrap();
        assert_eq!(log.take(), usually);
        block_on(publisher.publish_all(vec![Box::new(Tick::new())])).unwrap();
        assert_eq!(log.take(), usually);
        block_on(mediator.publish_with(&GroupEventPublisher, Tick::new())).unwrap();
        assert_eq!(log.take(), group);
        block_on(publisher.publish_with(&SequentialEventPublisher, Tick::new())).unwrap();
        assert_eq!(log.take(), sequential);
    }
}

#[test]
fn a_strategy_of_ones_own_decides_for_a_mediator_or_for_one_call() {
    let scripts = [error(1), ok(1), panic(0)];
    let expected_log = ["0 starts", "0 fails", "1 starts", "1 ends", "2 starts", "2 panics"];
    let expected = Said { failures: vec!["error of 0".into(), "panic of 2".into()], ..Said::default() };

    let (log, said) = publish(&BestEffort, &scripts);
    assert_eq!(log, expected_log);
    assert_eq!(said.as_ref(), Some(&expected));

    let log = Log::default();
    let builder = explicit().event_publisher(BestEffort);
    let mediator = bind_scripted::<Tick>(builder, &log, &scripts).build().unwrap();
    assert_eq!(Said::by(&block_on(mediator.publish(Tick::new())).unwrap_err()), expected);
    assert_eq!(log.take(), expected_log);
    assert_eq!(Said::by(&block_on(mediator.publish_all(vec![Box::new(Tick::new())])).unwrap_err()), expected);
    assert_eq!(log.take(), expected_log);
}

#[test]
fn a_strategy_is_told_the_event_and_its_handlers() {
    struct Inspect;

    impl EventPublisher for Inspect {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            assert!(deliveries.event().downcast_ref::<Tick>().is_some());
            assert_eq!(deliveries.event().event_name(), "behavior::strategies::Tick");
            assert_eq!((deliveries.len(), deliveries.is_empty(), deliveries.iter().len()), (2, false, 2));
            let handlers: Vec<_> = deliveries.iter().map(|delivery| *delivery.handler()).collect();
            assert_eq!(names(&handlers), ["Scripted<0, 0>", "Scripted<0, 1>"]);
            assert!(deliveries.iter().all(|delivery| delivery.event().event_id() == deliveries.event().event_id()));
            deliveries.iter().for_each(Delivery::skip);
            deliveries.finish(None)
        }
    }

    // It skips all of them, and nobody is called.
    assert_eq!(publish(&Inspect, &[ok(0), error(0)]), (vec![], None));
}

#[test]
fn a_strategy_may_deliver_in_any_order_and_company_and_more_than_once() {
    /// Backwards and concurrently, each handler a second time if the first one failed.
    struct Unruly;

    async fn deliver_twice(delivery: Delivery<'_>) -> Result<(), HandlerFailure> {
        match delivery.deliver().await {
            Ok(()) => Ok(()),
            Err(_) => delivery.deliver().await,
        }
    }

    impl EventPublisher for Unruly {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            let mut all: Vec<_> = deliveries.iter().collect();
            all.reverse();
            let mut running: FuturesUnordered<_> = all.into_iter().map(deliver_twice).collect();
            let mut failures = Vec::new();
            while let Some(delivered) = running.next().await {
                failures.extend(delivered.err());
            }
            drop(running);
            deliveries.finish(failures)
        }
    }

    let (log, said) = publish(&Unruly, &[ok(1), error(0), ok(0)]);
    assert_eq!(
        log.iter().filter(|entry| entry.ends_with("starts")).map(String::as_str).collect::<Vec<_>>(),
        ["2 starts", "1 starts", "1 starts", "0 starts"]
    );
    assert_eq!(said, Some(Said { failures: vec!["error of 1".into()], ..Said::default() }));
}

#[test]
fn what_a_strategy_dropped_or_never_started_is_in_its_error() {
    /// Gives up on everything once the first handler has failed.
    struct FirstDecides;

    impl EventPublisher for FirstDecides {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            let mut all = deliveries.iter();
            let (Some(first), Some(second)) = (all.next(), all.next()) else {
                return deliveries.finish(None);
            };
            let failure = {
                let (first, second) = (std::pin::pin!(first.deliver()), std::pin::pin!(second.deliver()));
                match futures::future::select(second, first).await {
                    futures::future::Either::Left((second, _)) => second,
                    futures::future::Either::Right((first, _)) => first,
                }
            };
            deliveries.finish(failure.err())
        }
    }

    let (log, said) = publish(&FirstDecides, &[error(1), forever(), ok(0)]);
    assert_eq!(log, ["1 starts", "0 starts", "0 fails", "1 is dropped"]);
    assert_eq!(said, Some(Said { failures: vec!["error of 0".into()], cancelled: vec![1], not_run: vec![2] }));
}

#[test]
fn a_strategy_may_hand_over_to_another() {
    /// As a group when there is company.
    struct GroupIfMany;

    impl EventPublisher for GroupIfMany {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            if deliveries.len() > 1 {
                GroupEventPublisher.publish(deliveries).await
            } else {
                SequentialEventPublisher.publish(deliveries).await
            }
        }
    }

    let (log, said) = publish(&GroupIfMany, &[error(0), ok(0), forever()]);
    assert_eq!(log, ["0 starts", "0 fails", "1 starts", "1 ends", "2 starts", "2 is dropped"]);
    assert_eq!(said, Some(Said { failures: vec!["error of 0".into()], cancelled: vec![2], not_run: vec![] }));
    assert_eq!(publish(&GroupIfMany, &[ok(1)]), (vec!["0 starts".into(), "0 ends".into()], None));
}

#[test]
fn a_strategy_is_not_asked_about_events_without_handlers() {
    struct Never;

    impl EventPublisher for Never {
        async fn publish(&self, _deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            unreachable!("there is nothing to deliver")
        }
    }

    let mediator = explicit().event_publisher(Never).build().unwrap();
    block_on(async {
        mediator.publish(Tick::new()).await?;
        mediator.publish_all(vec![Box::new(Tick::new())]).await?;
        mediator.publish_with(&Never, Tick::new()).await
    })
    .unwrap();
}

#[test]
fn a_strategy_that_panics_before_it_returns_a_future_is_not_called_again() {
    struct Impatient(Arc<AtomicUsize>);

    impl EventPublisher for Impatient {
        fn publish(&self, _deliveries: Deliveries<'_>) -> impl Future<Output = Result<(), PublishError>> + Send {
            let calls = self.0.fetch_add(1, Ordering::Relaxed);
            assert!(calls > 0, "no patience");
            async { Ok(()) }
        }
    }

    let (calls, log) = (Arc::<AtomicUsize>::default(), Log::default());
    let builder = bind_scripted::<Tick>(explicit(), &log, &[ok(0)]).event_publisher(Impatient(calls.clone()));
    let mediator = builder.build().unwrap();
    assert_over_after_a_panic(Stepped::new(mediator.publish(Tick::new())), "no patience");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_publish_that_failed_does_not_succeed_when_it_is_polled_again_after_a_panic() {
    struct Nameless;

    impl Notification for Nameless {
        fn notification_id(&self) -> Option<EventId> {
            panic!("asked for the id");
        }
    }

    for group in [false, true] {
        let builder = bind_scripted::<Nameless>(explicit(), &Log::default(), &[error(0), forever()]);
        let mediator = match group {
            true => builder.event_publisher(GroupEventPublisher).build().unwrap(),
            false => builder.build().unwrap(),
        };
        assert_over_after_a_panic(Stepped::new(mediator.publish(Nameless)), "asked for the id");
    }
}

fn assert_over_after_a_panic(mut publish: Stepped<'_, Result<(), PublishError>>, first: &str) {
    for message in [first, "a publish was polled again after it had ended"] {
        let panic = catch_unwind(AssertUnwindSafe(|| publish.step().is_ready())).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), message);
    }
}

/// Cuts off every handler that is not ready at once.
struct Impatient {
    fails: bool,
}

impl EventPublisher for Impatient {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter() {
            match delivery.deliver().now_or_never() {
                Some(outcome) => failures.extend(outcome.err()),
                None if self.fails => failures.push(delivery.fail("took too long")),
                None => {}
            }
        }
        deliveries.finish(failures)
    }
}

#[test]
fn a_publish_is_no_success_if_a_handler_was_cut_off() {
    let scripts = [ok(0), forever(), ok(0)];
    let (_, said) = publish(&Impatient { fails: false }, &scripts);
    assert_eq!(said, Some(Said { failures: vec![], cancelled: vec![1], not_run: vec![] }));
}

#[test]
fn a_strategy_reports_failures_of_its_own() {
    let mediator = bind_scripted::<Tick>(explicit(), &Log::default(), &[ok(0), forever(), ok(0)]).build().unwrap();
    let error = block_on(mediator.publish_with(&Impatient { fails: true }, Tick::new())).unwrap_err();
    assert_eq!(error.failures()[0].error().unwrap().to_string(), "took too long");
    assert_eq!(names([error.failures()[0].handler()]), ["Scripted<0, 1>"]);
    assert!(error.cancelled().is_empty() && error.not_run().is_empty());
}

#[test]
fn a_failure_that_the_strategy_keeps_to_itself_is_no_success() {
    /// Fails the first handler without starting it, and the second one after cutting it off; tells nobody.
    struct Secretive;

    impl EventPublisher for Secretive {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            let [first, second]: [_; 2] = deliveries.iter().collect::<Vec<_>>().try_into().unwrap();
            drop(first.fail("never started"));
            assert!(second.deliver().now_or_never().is_none());
            drop(second.fail("took too long"));
            deliveries.finish([])
        }
    }

    let (_, said) = publish(&Secretive, &[ok(0), forever()]);
    assert_eq!(said, Some(Said { failures: vec![], cancelled: vec![1], not_run: vec![0] }));
}

#[test]
fn a_handler_that_is_neither_started_nor_skipped_is_reported() {
    /// Delivers to the first handler alone.
    struct First {
        skips: bool,
    }

    impl EventPublisher for First {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            for delivery in deliveries.iter().skip(1).filter(|_| self.skips) {
                delivery.skip();
            }
            for delivery in deliveries.iter().take(1) {
                delivery.deliver().await.expect("it does not fail");
            }
            deliveries.finish([])
        }
    }

    let (_, said) = publish(&First { skips: false }, &[ok(0), ok(0)]);
    assert_eq!(said, Some(Said { failures: vec![], cancelled: vec![], not_run: vec![1] }));
    assert_eq!(publish(&First { skips: true }, &[ok(0), ok(0)]).1, None);
}

#[test]
fn a_strategy_can_pass_all_deliveries_on_to_one_that_ships() {
    struct Passes<P>(P);

    impl<P: EventPublisher> EventPublisher for Passes<P> {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            self.0.publish(deliveries).await
        }
    }

    let scripts = [ok(2), error(1), ok(0)];
    assert_eq!(publish(&Passes(SequentialEventPublisher), &scripts), publish(&SequentialEventPublisher, &scripts));
    assert_eq!(publish(&Passes(GroupEventPublisher), &scripts), publish(&GroupEventPublisher, &scripts));
    assert_eq!(publish(&Passes(JoinEventPublisher), &scripts), publish(&JoinEventPublisher, &scripts));
    assert_eq!(publish(&Passes(BestEffortEventPublisher), &scripts), publish(&BestEffortEventPublisher, &scripts));
}

#[test]
fn an_event_may_have_a_strategy_of_its_own() {
    #[event]
    struct Other;

    let log = Log::default();
    let builder = bind_scripted::<Tick>(explicit(), &log, &[error(0), ok(0)]);
    let builder =
        builder.event_publisher_for::<Tick>(BestEffortEventPublisher).event_publisher_for::<Other>(GroupEventPublisher);
    let mediator = builder.build().unwrap();
    let error = block_on(mediator.publish(Tick::new())).unwrap_err();
    assert_eq!(Said::by(&error), Said { failures: vec!["error of 0".into()], ..Said::default() });
    assert_eq!(log.take(), ["0 starts", "0 fails", "1 starts", "1 ends"]);
    let [tick] = mediator.topology().events().iter().filter(|node| !node.handlers().is_empty()).collect::<Vec<_>>()[..]
    else {
        panic!("one event is handled")
    };
    assert!(tick.strategy().ends_with("::BestEffortEventPublisher"));
    // A strategy of the call comes first.
    let error = block_on(mediator.publish_with(&SequentialEventPublisher, Tick::new())).unwrap_err();
    assert_eq!(error.not_run().len(), 1);
}
