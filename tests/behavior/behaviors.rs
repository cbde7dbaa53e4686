//! Behaviors: what runs around handlers of events and requests, in which order, and what they can do.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::MediatorBuilder;
use mediator_core::prelude::*;
use mediator_tests::{Log, Stepped, pending};

fn bare() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

#[event]
struct Placed {}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("out of stock")]
    OutOfStock,
    #[error(transparent)]
    Send(#[from] SendError),
}

#[request(u32, error = OrderError)]
#[derive(Debug)]
struct Place {
    total: u32,
}

#[request(u32)]
struct Count;

/// Around everything: logs when it starts and how it ends.
struct Around<const N: usize>(Log);

impl<const N: usize> Behavior for Around<N> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        self.0.add(format!("{N} starts"));
        let mut end = self.0.on_drop(format!("{N} is dropped"));
        let outcome = call.run().await;
        end.set(format!("{N} {}", if outcome.is_ok() { "ends" } else { "fails" }));
        outcome
    }
}

#[event_handler(manual)]
async fn placed(_event: &Placed, log: Log) {
    log.add("handled");
    pending(1).await;
    log.add("done");
}

#[event_handler(manual)]
async fn fails(_event: &Placed, log: Log) -> Result<(), OrderError> {
    log.add("fails");
    pending(1).await;
    Err(OrderError::OutOfStock)
}

#[request_handler(manual)]
async fn place(request: &Place, log: Log) -> Result<u32, OrderError> {
    log.add("handled");
    pending(1).await;
    match request.total {
        0 => Err(OrderError::OutOfStock),
        13 => panic!("thirteen"),
        total => Ok(total),
    }
}

#[request_handler(manual)]
fn count(_request: &Count, log: Log) -> u32 {
    log.add("counted");
    7
}

fn shop(log: &Log) -> MediatorBuilder {
    bare().provide(log.clone()).bind_fn(placed).bind_fn(place).bind_fn(count)
}

#[test]
fn behaviors_run_around_a_handler_from_outside_in() {
    let log = Log::default();
    let builder = shop(&log).behavior(Around::<1>(log.clone())).behavior(Around::<2>(log.clone()));
    let mediator = builder.build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled", "done", "2 ends", "1 ends"]);
    assert_eq!(block_on(mediator.send(Place { total: 5 })).unwrap(), 5);
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled", "2 ends", "1 ends"]);
    assert_eq!(block_on(mediator.send(Count)).unwrap(), 7);
    assert_eq!(log.take(), ["1 starts", "2 starts", "counted", "2 ends", "1 ends"]);
}

#[test]
fn each_handler_has_a_passage_of_its_own() {
    let log = Log::default();
    let builder = bare().provide(log.clone()).bind_fn(placed).bind_fn(fails).behavior(Around::<1>(log.clone()));
    let mediator = builder.build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert_eq!(log.take(), ["1 starts", "handled", "done", "1 ends", "1 starts", "fails", "1 fails"]);
    let [failure] = error.failures() else { panic!("{error}") };
    assert!(failure.handler().name().ends_with("::fails"), "{failure}");
    assert!(matches!(error.downcast_ref(), Some(OrderError::OutOfStock)));
    assert_eq!(error.to_string().matches("Around").count(), 0, "{error}");
}

#[test]
fn a_behavior_around_one_message_is_inside_of_those_around_all() {
    struct Doubled(Log);

    impl Behavior<Place> for Doubled {
        async fn handle(&self, mut call: Call<'_, Place>) -> Result<u32, OrderError> {
            self.0.add(format!("doubles {}", call.message().total));
            Ok(2 * call.run().await?)
        }
    }

    let log = Log::default();
    let builder = shop(&log).behavior(Doubled(log.clone())).behavior(Around::<1>(log.clone()));
    let mediator = builder.build().unwrap();
    assert_eq!(block_on(mediator.send(Place { total: 5 })).unwrap(), 10);
    assert_eq!(log.take(), ["1 starts", "doubles 5", "handled", "1 ends"]);
    assert_eq!(block_on(mediator.send(Count)).unwrap(), 7);
    assert_eq!(log.take(), ["1 starts", "counted", "1 ends"]);
}

#[test]
fn a_behavior_around_an_event_sees_the_event() {
    struct Seen(Log);

    impl Behavior<Placed> for Seen {
        async fn handle(&self, mut call: Call<'_, Placed>) -> Outcome {
            self.0.add(format!("{}", call.message().event_id == call.event().unwrap().event_id().unwrap()));
            call.run().await
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Seen(log.clone())).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(log.entries(), ["true", "handled", "done"]);
}

#[test]
fn a_call_tells_what_is_handled_and_by_whom() {
    struct Tell(Log);

    impl Behavior for Tell {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            let name = call.name().rsplit("::").next().unwrap();
            let handler = call.handler().name().rsplit("::").next().unwrap();
            let total = call.message().downcast_ref::<Place>().map(|place| place.total);
            self.0.add(format!("{name} {handler} {} {total:?}", call.event().is_some()));
            call.run().await
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Tell(log.clone())).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    block_on(mediator.send(Place { total: 3 })).unwrap();
    let entries = log.entries();
    assert_eq!([&*entries[0], &*entries[3]], ["Placed placed true None", "Place place false Some(3)"]);
}

#[test]
fn a_refused_event_has_failed_and_the_outer_behaviors_finish() {
    struct Refuse;

    impl Behavior<Placed> for Refuse {
        async fn handle(&self, call: Call<'_, Placed>) -> Outcome {
            call.refuse("closed on Sundays")
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Around::<1>(log.clone())).behavior(Refuse).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert_eq!(log.take(), ["1 starts", "1 fails"]);
    let text = format!("{error:#}");
    assert_eq!(text.matches("closed on Sundays").count(), 1, "{text}");
    assert!(text.contains("Refuse"), "{text}");
}

#[test]
fn a_refused_request_says_so_in_its_own_error() {
    struct Credit;

    impl Behavior<Place> for Credit {
        async fn handle(&self, mut call: Call<'_, Place>) -> Outcome<Place> {
            if call.message().total > 100 { call.refuse("over the limit") } else { call.run().await }
        }
    }

    struct Closed;

    impl Behavior for Closed {
        async fn handle(&self, call: Call<'_>) -> Outcome {
            call.refuse("closed")
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Credit).build().unwrap();
    assert_eq!(block_on(mediator.send(Place { total: 100 })).unwrap(), 100);
    let error = block_on(mediator.send(Place { total: 101 })).unwrap_err();
    let OrderError::Send(refused @ SendError::Refused(_)) = error else { panic!("{error}") };
    assert_eq!(format!("{refused:#}").matches("over the limit").count(), 1, "{refused:#}");
    assert!(!refused.to_string().contains("over the limit"), "{refused}");
    assert_eq!(refused.source().unwrap().source().unwrap().to_string(), "over the limit");
    let mediator = shop(&log).behavior(Closed).build().unwrap();
    let error = block_on(mediator.send(Count)).unwrap_err();
    assert!(matches!(error, SendError::Refused(_)), "{error}");
    assert!(format!("{error:?}").contains("closed"), "{error:?}");
}

#[test]
fn a_request_keeps_its_error_through_behaviors_that_do_not_know_it() {
    let log = Log::default();
    let mediator = shop(&log).behavior(Around::<1>(log.clone())).behavior(Around::<2>(log.clone())).build().unwrap();
    let error = block_on(mediator.send(Place { total: 0 })).unwrap_err();
    assert!(matches!(error, OrderError::OutOfStock), "{error}");
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled", "2 fails", "1 fails"]);
}

#[test]
fn anyhow_errors_of_requests_are_themselves_behind_behaviors() {
    #[request(u32, error = anyhow::Error)]
    struct Ask;

    #[request_handler(manual)]
    fn ask(_request: &Ask) -> anyhow::Result<u32> {
        Err(anyhow::Error::new(OrderError::OutOfStock).context("asked"))
    }

    let mediator = bare().bind_fn(ask).behavior(Around::<1>(Log::default())).build().unwrap();
    let error = block_on(mediator.send(Ask)).unwrap_err();
    assert_eq!(format!("{error:#}"), "asked: out of stock");
    assert!(matches!(error.downcast_ref(), Some(OrderError::OutOfStock)));
}

#[test]
fn a_behavior_can_turn_an_error() {
    struct Turn;

    impl Behavior for Turn {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            call.run().await.map_err(|error| match error.downcast::<OrderError>() {
                Ok(_) => "turned".into(),
                Err(error) => error,
            })
        }
    }

    let log = Log::default();
    let mediator = bare().provide(log).bind_fn(fails).bind_fn(place).behavior(Turn).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "turned");
    let error = block_on(mediator.send(Place { total: 0 })).unwrap_err();
    let OrderError::Send(SendError::Refused(_)) = &error else { panic!("{error}") };
    assert_eq!(error.source().unwrap().to_string(), "turned");
}

#[test]
fn a_behavior_can_answer_without_the_handler() {
    struct Cached(Mutex<Option<u32>>);

    impl Behavior<Count> for Cached {
        async fn handle(&self, mut call: Call<'_, Count>) -> Result<u32, SendError> {
            if let Some(known) = *self.0.lock().unwrap() {
                return Ok(known);
            }
            let count = call.run().await?;
            *self.0.lock().unwrap() = Some(count);
            Ok(count)
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Cached(Mutex::default())).build().unwrap();
    assert_eq!(block_on(mediator.send(Count)).unwrap(), 7);
    assert_eq!(block_on(mediator.send(Count)).unwrap(), 7);
    assert_eq!(log.entries(), ["counted"]);
}

#[test]
fn a_behavior_around_everything_cannot_answer_for_a_request() {
    struct Skip;

    impl Behavior for Skip {
        async fn handle(&self, _call: Call<'_>) -> Outcome {
            Ok(())
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(Skip).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    let error = block_on(mediator.send(Count)).unwrap_err();
    assert!(format!("{error:#}").contains("has not answered"), "{error:#}");
    assert!(log.entries().is_empty());
}

struct Retry {
    times: usize,
    errors: Mutex<Vec<String>>,
}

impl Retry {
    fn new(times: usize) -> Arc<Self> {
        Arc::new(Self { times, errors: Mutex::default() })
    }
}

struct Retrying(Arc<Retry>);

impl Behavior for Retrying {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        for _ in 1..self.0.times {
            match call.run().await {
                Ok(()) => return Ok(()),
                Err(error) => self.0.errors.lock().unwrap().push(error.to_string()),
            }
        }
        call.run().await
    }
}

#[test]
fn a_retry_runs_the_handler_again_and_no_other() {
    #[event_handler(manual)]
    async fn flaky(_event: &Placed, log: Log, runs: Arc<AtomicUsize>) -> Result<(), String> {
        log.add("flaky");
        pending(1).await;
        if runs.fetch_add(1, Ordering::Relaxed) < 2 { Err("not yet".into()) } else { Ok(()) }
    }

    let (log, retry) = (Log::default(), Retry::new(3));
    let builder = bare().provide(log.clone()).provide(Arc::new(AtomicUsize::new(0)));
    let builder = builder.bind_fn(placed).bind_fn(flaky).behavior(Retrying(retry.clone()));
    block_on(builder.build().unwrap().publish(Placed::new())).unwrap();
    assert_eq!(log.take(), ["handled", "done", "flaky", "flaky", "flaky"]);
    assert_eq!(*retry.errors.lock().unwrap(), ["not yet", "not yet"]);
}

#[test]
fn a_retried_request_is_answered_by_its_last_run() {
    #[request(String, error = OrderError)]
    struct Flaky;

    #[request_handler(manual)]
    async fn flaky(_request: &Flaky, runs: Arc<AtomicUsize>) -> Result<String, OrderError> {
        pending(1).await;
        match runs.fetch_add(1, Ordering::Relaxed) {
            0 => Err(OrderError::OutOfStock),
            run => Ok(format!("run {run}")),
        }
    }

    struct Twice;

    impl Behavior for Twice {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            call.run().await.ok();
            call.run().await
        }
    }

    let builder = bare().provide(Arc::new(AtomicUsize::new(0))).bind_fn(flaky);
    let mediator = builder.behavior(Twice).behavior(Retrying(Retry::new(2))).build().unwrap();
    assert_eq!(block_on(mediator.send(Flaky)).unwrap(), "run 2");
}

#[test]
fn a_panic_stays_a_panic_and_drops_the_behaviors() {
    let log = Log::default();
    let mediator = shop(&log).behavior(Around::<1>(log.clone())).behavior(Around::<2>(log.clone())).build().unwrap();
    let error = block_on(mediator.send(Place { total: 13 })).unwrap_err();
    let OrderError::Send(panicked @ SendError::Panicked(_)) = error else { panic!("{error}") };
    assert_eq!(panicked.panic_message(), Some("thirteen"));
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled", "2 is dropped", "1 is dropped"]);
}

/// Whatever is under way, behaviors and handler are dropped from outside in.
#[test]
fn a_dropped_publish_drops_its_behaviors() {
    let log = Log::default();
    let mediator = shop(&log).behavior(Around::<1>(log.clone())).behavior(Around::<2>(log.clone())).build().unwrap();
    let mut publish = Stepped::new(mediator.publish(Placed::new()));
    assert!(publish.step().is_pending());
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled"]);
    drop(publish);
    assert_eq!(log.take(), ["2 is dropped", "1 is dropped"]);
    let mut send = Stepped::new(mediator.send(Place { total: 1 }));
    assert!(send.step().is_pending());
    drop(send);
    assert_eq!(log.take(), ["1 starts", "2 starts", "handled", "2 is dropped", "1 is dropped"]);
}

/// More than have a state in the memory that every passage has for them.
#[test]
fn many_behaviors_run_wait_and_are_dropped() {
    let log = Log::default();
    let around = |builder: MediatorBuilder| {
        let builder = builder.behavior(Around::<1>(log.clone())).behavior(Around::<2>(log.clone()));
        let builder = builder.behavior(Around::<3>(log.clone())).behavior(Around::<4>(log.clone()));
        let builder = builder.behavior(Around::<5>(log.clone())).behavior(Around::<6>(log.clone()));
        let builder = builder.behavior(Around::<7>(log.clone())).behavior(Around::<8>(log.clone()));
        builder.behavior(Around::<9>(log.clone())).behavior(Around::<10>(log.clone()))
    };
    let mediator = around(shop(&log)).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(log.take().len(), 22);
    assert_eq!(block_on(mediator.send(Place { total: 5 })).unwrap(), 5);
    assert_eq!(log.take().len(), 21);
    let mut send = Stepped::new(mediator.send(Place { total: 1 }));
    assert!(send.step().is_pending());
    log.take();
    drop(send);
    assert_eq!(log.take(), (1..=10).rev().map(|n| format!("{n} is dropped")).collect::<Vec<_>>());
}

#[test]
fn a_behavior_can_give_up_on_what_is_inside() {
    struct GiveUp;

    impl Behavior for GiveUp {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            let run = call.run();
            let pinned = std::pin::pin!(run);
            match futures::future::select(pinned, std::future::ready(())).await {
                futures::future::Either::Left((outcome, _)) => outcome,
                futures::future::Either::Right(_) => Err("too slow".into()),
            }
        }
    }

    let log = Log::default();
    let mediator = shop(&log).behavior(GiveUp).behavior(Around::<1>(log.clone())).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "too slow");
    assert_eq!(log.take(), ["1 starts", "handled", "1 is dropped"]);
}

/// What a forgotten run has left is dropped with the publish, or before the next run.
#[test]
fn a_forgotten_run_is_dropped_later() {
    struct Forget(bool);

    impl Behavior for Forget {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            let mut run = Box::pin(call.run());
            assert!(futures::poll!(run.as_mut()).is_pending());
            std::mem::forget(run);
            if self.0 { call.run().await } else { Err("forgotten".into()) }
        }
    }

    for again in [false, true] {
        let log = Log::default();
        let mediator = shop(&log).behavior(Forget(again)).behavior(Around::<1>(log.clone())).build().unwrap();
        let published = block_on(mediator.publish(Placed::new()));
        assert_eq!(published.is_ok(), again);
        let rest: &[_] = if again { &["1 starts", "handled", "done", "1 ends"] } else { &[] };
        assert_eq!(log.entries()[..3], ["1 starts", "handled", "1 is dropped"]);
        assert_eq!(log.entries()[3..], *rest);
        log.take();
        assert_eq!(block_on(mediator.send(Place { total: 4 })).is_ok(), again);
    }
}

#[test]
fn handlers_at_once_have_their_own_passages() {
    let log = Log::default();
    let builder = bare().provide(log.clone()).event_publisher(GroupEventPublisher).bind_fn(placed).bind_fn(fails);
    let mediator = builder.behavior(Around::<1>(log.clone())).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert_eq!(error.failures().len(), 1);
    assert_eq!(log.take(), ["1 starts", "handled", "1 starts", "fails", "done", "1 ends", "1 fails"]);
}

/// Futures that do not fit in place, and answers that do not.
#[test]
fn behaviors_and_answers_may_be_of_any_size() {
    #[request([u8; N])]
    struct Bytes<const N: usize>;

    struct Fill;

    impl<const N: usize> RequestHandler<Bytes<N>> for Fill {
        async fn handle(&self, _request: &Bytes<N>) -> [u8; N] {
            let bytes = [7; N];
            pending(1).await;
            bytes
        }
    }

    struct Large<const SIZE: usize>;

    impl<const SIZE: usize> Behavior for Large<SIZE> {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            let room = [1_u8; SIZE];
            let outcome = call.run().await;
            assert_eq!((room[0], room[SIZE - 1]), (1, 1));
            outcome
        }
    }

    struct Add;

    impl<const N: usize> Behavior<Bytes<N>> for Add {
        async fn handle(&self, mut call: Call<'_, Bytes<N>>) -> Outcome<Bytes<N>> {
            let mut bytes = call.run().await?;
            bytes.iter_mut().for_each(|byte| *byte += 1);
            Ok(bytes)
        }
    }

    fn ask<const N: usize>(builder: MediatorBuilder) {
        let builder = builder.bind_request_handler::<Bytes<N>, _>(Fill).behavior::<Bytes<N>, _>(Add);
        let mediator = builder.build().unwrap();
        assert_eq!(block_on(mediator.send(Bytes::<N>)).unwrap(), [8; N]);
        drop(Stepped::new(mediator.send(Bytes::<N>)).step());
    }

    // Miri takes seconds for each mediator.
    fn with_sizes<const N: usize>() {
        ask::<N>(bare().behavior(Large::<500>).behavior(Large::<5000>).behavior(Large::<40>));
        if !cfg!(miri) {
            ask::<N>(bare());
            ask::<N>(bare().behavior(Large::<1>));
            ask::<N>(bare().behavior(Large::<60>).behavior(Large::<1>).behavior(Large::<70>));
        }
    }

    with_sizes::<40>();
    if !cfg!(miri) {
        with_sizes::<0>();
        with_sizes::<120>();
    }
    with_sizes::<200>();
}

mod lending {
    use super::*;

    #[derive(Default)]
    struct Connection {
        written: Vec<String>,
        log: Log,
    }

    struct Pool(Log);

    /// Lends a connection of its own, unless one is lent already; commits or rolls back.
    #[behavior(lends(&mut Connection))]
    struct InTransaction {
        pool: Arc<Pool>,
    }

    impl Behavior for InTransaction {
        async fn handle(&self, mut call: Call<'_>) -> Outcome {
            if call.lends::<Connection>() {
                return call.run().await;
            }
            let mut connection = Connection { log: self.pool.0.clone(), ..Connection::default() };
            let mut end = self.pool.0.on_drop("rollback");
            let outcome = call.with(&mut connection).run().await;
            if outcome.is_ok() {
                end.set(format!("commit {:?}", connection.written));
            }
            outcome
        }
    }

    #[event]
    struct Written {}

    #[event_handler(manual)]
    async fn write(_event: &Placed, connection: &mut Connection, publisher: &Publisher) -> Result<(), PublishError> {
        connection.written.push("write".into());
        pending(1).await;
        publisher.with(&mut *connection).publish(Written::new()).await
    }

    #[event_handler(manual)]
    async fn write_too(_event: &Written, connection: &mut Connection) {
        pending(1).await;
        connection.written.push("write too".into());
    }

    #[event_handler(manual)]
    async fn fail(_event: &Placed, connection: &mut Connection) -> Result<(), &'static str> {
        connection.written.push("fail".into());
        connection.log.add("fail");
        pending(1).await;
        Err("no")
    }

    #[request(usize, error = OrderError)]
    struct Write(usize);

    #[request_handler(manual)]
    async fn write_request(request: &Write, connection: &mut Connection) -> Result<usize, OrderError> {
        connection.written.push(format!("request {}", request.0));
        pending(1).await;
        assert_ne!(request.0, 13, "thirteen");
        if request.0 == 0 { Err(OrderError::OutOfStock) } else { Ok(connection.written.len()) }
    }

    fn mediator(log: &Log, strategy: impl EventPublisher) -> Mediator {
        // A behavior of this type is discovered, and is replaced by this one.
        bare()
            .event_publisher(strategy)
            .bind_fn(write)
            .bind_fn(fail)
            .bind_fn(write_too)
            .bind_fn(write_request)
            .behavior::<mediator_core::AnyMessage, _>(InTransaction { pool: Arc::new(Pool(log.clone())) })
            .build()
            .unwrap()
    }

    #[test]
    fn each_handler_borrows_what_a_behavior_lends_it() {
        let log = Log::default();
        let error = block_on(mediator(&log, SequentialEventPublisher).publish(Placed::new())).unwrap_err();
        assert_eq!(error.source().unwrap().to_string(), "no");
        assert_eq!(log.take(), [r#"commit ["write", "write too"]"#, "fail", "rollback"]);
    }

    #[test]
    fn a_transaction_is_rolled_back_on_error_and_panic_and_cancellation() {
        let log = Log::default();
        let mediator = mediator(&log, SequentialEventPublisher);
        assert_eq!(block_on(mediator.send(Write(2))).unwrap(), 1);
        assert_eq!(log.take(), [r#"commit ["request 2"]"#]);
        assert!(matches!(block_on(mediator.send(Write(0))), Err(OrderError::OutOfStock)));
        assert_eq!(log.take(), ["rollback"]);
        assert!(matches!(block_on(mediator.send(Write(13))), Err(OrderError::Send(SendError::Panicked(_)))));
        assert_eq!(log.take(), ["rollback"]);
        let mut send = Stepped::new(mediator.send(Write(2)));
        assert!(send.step().is_pending());
        drop(send);
        assert_eq!(log.take(), ["rollback"]);
    }

    /// The error of a commit is the result, although the handler has succeeded.
    #[test]
    fn a_commit_that_fails_is_reported() {
        #[behavior(lends(&mut Connection))]
        struct FailsToCommit;

        #[derive(Debug, thiserror::Error)]
        #[error("the disk is full")]
        struct DiskFull;

        impl Behavior for FailsToCommit {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                call.with(&mut Connection::default()).run().await?;
                Err(DiskFull.into())
            }
        }

        let builder = bare().bind_fn(write_too).bind_fn(write_request).behavior(FailsToCommit);
        let mediator = builder.build().unwrap();
        let error = block_on(mediator.publish(Written::new())).unwrap_err();
        assert!(error.downcast_ref::<DiskFull>().is_some(), "{error:#}");
        let error = block_on(mediator.send(Write(1))).unwrap_err();
        let OrderError::Send(error @ SendError::Refused(_)) = error else { panic!("{error}") };
        assert!(error.source().unwrap().is::<DiskFull>(), "{error:#}");
    }

    #[test]
    fn what_is_lent_already_is_used() {
        let log = Log::default();
        let mediator = mediator(&log, SequentialEventPublisher);
        let mut connection = Connection::default();
        let error = block_on(mediator.with(&mut connection).publish(Placed::new())).unwrap_err();
        assert_eq!(error.failures().len(), 1);
        assert_eq!(connection.written, ["write", "write too", "fail"]);
        assert_eq!(block_on(mediator.with(&mut connection).send(Write(1))).unwrap(), 4);
        assert!(log.entries().is_empty());
    }

    #[test]
    fn handlers_at_once_are_lent_a_value_each() {
        let log = Log::default();
        let error = block_on(mediator(&log, JoinEventPublisher).publish(Placed::new())).unwrap_err();
        assert_eq!(error.failures().len(), 1);
        let mut entries = log.take();
        entries.sort();
        assert_eq!(entries, [r#"commit ["write", "write too"]"#, "fail", "rollback"]);
    }

    #[test]
    fn what_a_behavior_declares_and_does_not_lend_is_the_failure_of_the_handler() {
        #[behavior(lends(&mut Connection))]
        struct Forgets;

        impl Behavior for Forgets {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                call.run().await
            }
        }

        let mediator = bare().provide(Log::default()).bind_fn(fail).bind_fn(write_request).behavior(Forgets).build();
        let mediator = mediator.unwrap();
        let error = block_on(mediator.publish(Placed::new())).unwrap_err();
        assert!(format!("{error:#}").contains("borrows `connection: &mut"), "{error:#}");
        let error = block_on(mediator.send(Write(1))).unwrap_err();
        assert!(matches!(error, OrderError::Send(SendError::NotLent(_))), "{error}");
    }

    #[test]
    fn a_behavior_that_lends_a_shared_value_does_not_serve_an_exclusive_borrow() {
        #[behavior(lends(&Connection))]
        struct Shares;

        impl Behavior for Shares {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                call.with(&Connection::default()).run().await
            }
        }

        let mediator = bare().bind_fn(fail).behavior(Shares).build().unwrap();
        let error = block_on(mediator.publish(Placed::new())).unwrap_err();
        assert_eq!(error.kind(), mediator_core::PublishErrorKind::NotLent, "{error:#}");
    }

    /// The value lives as long as the behavior, so what borrows it must not be polled or dropped after that.
    #[test]
    fn a_forgotten_run_with_a_lent_value_is_forgotten_whole() {
        #[behavior(lends(&mut Connection))]
        struct Forget;

        impl Behavior for Forget {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                {
                    let mut connection = Box::new(Connection::default());
                    let mut run = Box::pin(call.with(&mut *connection).run());
                    assert!(futures::poll!(run.as_mut()).is_pending());
                    std::mem::forget(run);
                    drop(connection);
                }
                let mut connection = Connection::default();
                call.with(&mut connection).run().await
            }
        }

        let mediator = bare().bind_fn(write_request).behavior(Forget).build().unwrap();
        assert_eq!(block_on(mediator.send(Write(3))).unwrap(), 1);
    }
}

mod wiring {
    use mediator_core::BuildProblem;

    use super::*;

    macro_rules! logging {
        ($($(#[$behavior:meta])* $name:ident;)*) => {
            $(
                $(#[$behavior])*
                struct $name {
                    log: Log,
                }

                impl Behavior for $name {
                    async fn handle(&self, mut call: Call<'_>) -> Outcome {
                        self.log.add(stringify!($name));
                        call.run().await
                    }
                }
            )*
        };
    }

    logging! {
        #[behavior(order = 1)]
        Second;
        #[behavior(order = -1)]
        First;
        #[behavior(after = Second)]
        Third;
        #[behavior(before = First)]
        Zeroth;
    }

    #[behavior(Placed, order = -100)]
    pub(super) struct Inside {
        log: Log,
    }

    impl Behavior<Placed> for Inside {
        async fn handle(&self, mut call: Call<'_, Placed>) -> Outcome {
            self.log.add("Inside");
            call.run().await
        }
    }

    #[event_handler(manual)]
    fn nothing(_event: &Placed) {}

    /// Discovery of this module's behaviors alone.
    fn discovering() -> MediatorBuilder {
        Mediator::builder().discover_where(|it| it.is_behavior() && it.module_path() == module_path!())
    }

    #[test]
    #[cfg_attr(miri, ignore = "prints what all of the program declares")]
    fn the_order_is_what_the_attributes_say() {
        let log = Log::default();
        let mediator = discovering().provide(log.clone()).bind_fn(nothing).build().unwrap();
        block_on(mediator.publish(Placed::new())).unwrap();
        assert_eq!(log.take(), ["Zeroth", "First", "Second", "Third", "Inside"]);
        let topology = mediator.topology();
        let event = topology.events().iter().find(|it| !it.handlers().is_empty()).unwrap();
        let around: Vec<_> =
            event.handlers()[0].behaviors().iter().map(|it| it.name().rsplit("::").next().unwrap()).collect();
        assert_eq!(around, ["Zeroth", "First", "Second", "Third", "Inside"]);
        assert!(topology.to_string().contains("inside Zeroth, First, Second, Third, Inside"), "{topology}");
        assert_eq!(topology.events().iter().flat_map(|it| it.handlers()).count(), 1, "{topology}");
    }

    #[test]
    fn without_behaviors_only_those_remain_that_the_builder_was_given() {
        let log = Log::default();
        let builder = discovering().without_behaviors().bind_fn(nothing).behavior(Second { log: log.clone() });
        block_on(builder.behavior(Around::<1>(log.clone())).build().unwrap().publish(Placed::new())).unwrap();
        assert_eq!(log.take(), ["Second", "1 starts", "1 ends"]);
    }

    #[test]
    fn a_given_behavior_takes_the_place_of_the_discovered_one_of_its_type() {
        let (log, other) = (Log::default(), Log::default());
        let builder = discovering().provide(log.clone()).bind_fn(nothing).behavior(First { log: other.clone() });
        block_on(builder.build().unwrap().publish(Placed::new())).unwrap();
        assert_eq!(log.take(), ["Zeroth", "Second", "Third", "Inside"]);
        assert_eq!(other.take(), ["First"]);
    }

    #[test]
    fn what_a_behavior_needs_and_nobody_provides_is_said() {
        let error = discovering().bind_fn(nothing).build().unwrap_err();
        let missing = |problem: &&BuildProblem| matches!(problem, BuildProblem::MissingServiceOfBehavior { .. });
        assert_eq!(error.problems().iter().filter(missing).count(), 5, "{error}");
        let text = error.to_string();
        assert!(text.contains("behavior `behavior::behaviors::wiring::First` (tests/behavior/behaviors.rs:"), "{text}");
    }

    #[test]
    fn a_behavior_twice_is_an_error_with_both_places() {
        let log = Log::default();
        let builder = bare().bind_fn(nothing).behavior(Around::<1>(log.clone())).behavior(Around::<1>(log));
        let error = builder.build().unwrap_err();
        let [BuildProblem::DuplicateBehavior { first, second, .. }] = error.problems() else { panic!("{error}") };
        assert_eq!(first.location().line(), second.location().line());
        assert!(
            error.to_string().contains("is already around `any message` at tests/behavior/behaviors.rs:"),
            "{error}"
        );
    }
}

/// Apart from the others, which are discovered together.
mod impossible {
    use mediator_core::AnyMessage;

    use super::wiring::Inside;
    use super::*;

    #[event_handler(manual)]
    fn nothing(_event: &Placed) {}

    #[test]
    fn an_order_that_cannot_be_is_an_error() {
        #[behavior(before = Two)]
        struct One;
        #[behavior(before = One)]
        struct Two;
        #[behavior(after = Inside)]
        struct Outside;
        #[behavior(before = One)]
        struct Lost;
        #[behavior(Placed, before = One)]
        struct Typed;
        #[behavior(after = Placed)]
        struct NoBehavior;

        macro_rules! pass {
            ($($name:ty: $message:ty,)*) => {
                $(
                    impl Behavior<$message> for $name {
                        async fn handle(&self, mut call: Call<'_, $message>) -> Outcome<$message> {
                            call.run().await
                        }
                    }
                )*
            };
        }

        pass! { One: AnyMessage, Two: AnyMessage, Outside: AnyMessage, Lost: AnyMessage, NoBehavior: AnyMessage, Typed: Placed, }

        let texts = |builder: MediatorBuilder| {
            let error = builder.bind_fn(nothing).build().unwrap_err();
            error.problems().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let cycle = texts(bare().behavior(One).behavior(Two));
        assert!(cycle[0].starts_with("the order of the behaviors around `any message` is a cycle"), "{cycle:?}");
        let outside = texts(bare().behavior(Outside));
        assert!(outside[0].contains("a behavior around every message is outside of those around one"), "{outside:?}");
        let outside = texts(bare().behavior(Typed));
        assert!(outside[0].contains("a behavior around every message is outside of those around one"), "{outside:?}");
        let unknown = texts(bare().behavior(NoBehavior));
        assert!(unknown[0].contains("which is no behavior"), "{unknown:?}");
        bare().bind_fn(nothing).behavior(Lost).build().unwrap();
    }
}

mod observing {
    use super::*;

    #[event_handler(manual)]
    async fn observe(event: &dyn DynNotification, log: Log) {
        log.add(format!("observes {}", event.event_name().rsplit("::").next().unwrap()));
    }

    struct Typed(Log);

    impl Behavior<Placed> for Typed {
        async fn handle(&self, mut call: Call<'_, Placed>) -> Outcome {
            self.0.add("typed");
            call.run().await
        }
    }

    #[test]
    fn behaviors_around_every_message_are_around_observers_and_those_around_one_are_not() {
        #[event]
        struct Unhandled {}

        let log = Log::default();
        let builder = bare().provide(log.clone()).bind_fn(observe).bind_fn(placed);
        let mediator = builder.behavior(Around::<1>(log.clone())).behavior(Typed(log.clone())).build().unwrap();
        block_on(mediator.publish(Unhandled::new())).unwrap();
        assert_eq!(log.take(), ["1 starts", "observes Unhandled", "1 ends"]);
        block_on(mediator.publish(Placed::new())).unwrap();
        let all = ["1 starts", "observes Placed", "1 ends", "1 starts", "typed", "handled", "done", "1 ends"];
        assert_eq!(log.take(), all);
    }
}

/// What no sensible behavior does, and what is sound even so.
mod unusual {
    use std::future::pending as forever;
    use std::task::{Context, Waker};

    use futures::FutureExt;
    use futures::channel::oneshot;
    use mediator_core::{Notification, Request};

    use super::*;

    /// A type that is an event and a request, by hand: a behavior of it is around the event.
    #[test]
    fn a_behavior_of_an_event_is_not_around_a_request_of_its_type() {
        struct Both;

        impl Notification for Both {}

        impl Request for Both {
            type Response = String;
            type Error = SendError;
            type Output = String;

            fn into_result(output: String) -> Result<String, SendError> {
                Ok(output)
            }
        }

        struct Handler(Log);

        impl EventHandler<Both> for Handler {
            async fn handle(&self, _event: &Both) {
                self.0.add("event");
            }
        }

        impl RequestHandler<Both> for Handler {
            async fn handle(&self, _request: &Both) -> String {
                "x".repeat(40)
            }
        }

        struct OfEvent(Log);

        impl Behavior<Both> for OfEvent {
            async fn handle(&self, mut call: Call<'_, Both>) -> Outcome<Both> {
                self.0.add("behavior");
                call.run().await
            }
        }

        let log = Log::default();
        let handler = Arc::new(Handler(log.clone()));
        let builder = bare().bind_handler::<Both, _>(handler.clone()).bind_request_handler::<Both, _>(handler);
        let mediator = builder.behavior(OfEvent(log.clone())).behavior(Around::<1>(Log::default())).build().unwrap();
        assert_eq!(block_on(mediator.send(Both)).unwrap(), "x".repeat(40));
        assert!(log.entries().is_empty());
        block_on(mediator.publish(Both)).unwrap();
        assert_eq!(log.entries(), ["behavior", "event"]);
    }

    #[test]
    fn an_error_whose_conversion_panics_is_dropped_once() {
        struct Explosive(#[expect(dead_code, reason = "only counted")] Arc<()>);

        impl From<SendError> for Explosive {
            fn from(_: SendError) -> Self {
                Self(Arc::default())
            }
        }

        impl From<Explosive> for Box<dyn Error + Send + Sync> {
            fn from(_: Explosive) -> Self {
                panic!("no box")
            }
        }

        #[request(error = Explosive)]
        struct Ask(Arc<()>);

        #[request_handler(manual)]
        async fn ask(request: &Ask) -> Result<(), Explosive> {
            Err(Explosive(request.0.clone()))
        }

        let token = Arc::new(());
        let mediator = bare().bind_fn(ask).behavior(Around::<1>(Log::default())).build().unwrap();
        assert!(block_on(mediator.send(Ask(token.clone()))).is_err());
        assert_eq!(Arc::strong_count(&token), 1);
    }

    /// Runs what is inside once more when it is dropped, and forgets the run.
    struct RunsWhenDropped<'a>(Call<'a>);

    impl Drop for RunsWhenDropped<'_> {
        fn drop(&mut self) {
            let mut run = Box::pin(self.0.run());
            let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            std::mem::forget(run);
        }
    }

    #[test]
    fn what_a_destructor_has_started_in_a_forgotten_run_is_dropped_too() {
        struct Stubborn;

        impl Behavior for Stubborn {
            async fn handle(&self, call: Call<'_>) -> Outcome {
                let _guard = RunsWhenDropped(call);
                forever().await
            }
        }

        let log = Log::default();
        let mediator = shop(&log).behavior(Stubborn).behavior(Around::<1>(log.clone())).build().unwrap();
        let mut publish = Stepped::new(mediator.publish(Placed::new()));
        assert!(publish.step().is_pending());
        drop(publish);
        assert_eq!(log.take(), ["1 starts", "handled", "1 is dropped"]);
        let mut send = Stepped::new(mediator.send(Place { total: 1 }));
        assert!(send.step().is_pending());
        drop(send);
        assert_eq!(log.take(), ["1 starts", "handled", "1 is dropped"]);
    }

    /// Three of them: a forgotten run, inside of it one that runs the handler again while it is dropped, and the handler, which has
    /// answered before.
    #[test]
    fn an_answer_in_a_forgotten_run_is_none() {
        struct Forgets;

        impl Behavior for Forgets {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                let mut run = Box::pin(call.run());
                assert!(futures::poll!(run.as_mut()).is_pending());
                std::mem::forget(run);
                Ok(())
            }
        }

        struct AnswersAndWaits;

        impl Behavior for AnswersAndWaits {
            async fn handle(&self, call: Call<'_>) -> Outcome {
                let mut guard = RunsWhenDropped(call);
                guard.0.run().await?;
                forever().await
            }
        }

        #[request(String)]
        struct Ask;

        #[request_handler(manual)]
        async fn ask(_request: &Ask, runs: Arc<AtomicUsize>) -> String {
            if runs.fetch_add(1, Ordering::Relaxed) > 0 {
                forever::<()>().await;
            }
            "x".repeat(40)
        }

        let builder = bare().provide(Arc::new(AtomicUsize::new(0))).bind_fn(ask);
        let mediator = builder.behavior(Forgets).behavior(AnswersAndWaits).build().unwrap();
        let error = block_on(mediator.send(Ask)).unwrap_err();
        assert!(format!("{error:#}").contains("has not answered"), "{error:#}");
    }

    #[test]
    fn an_answer_that_a_behavior_inside_did_not_pass_on_does_not_reach_the_sender() {
        struct FailsToCommit;

        impl Behavior for FailsToCommit {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                call.run().await?;
                Err("the disk is full".into())
            }
        }

        /// `Ok` whatever it was told, a panic included.
        struct Lenient;

        impl Behavior for Lenient {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                _ = std::panic::AssertUnwindSafe(call.run()).catch_unwind().await;
                Ok(())
            }
        }

        struct Panics;

        impl Behavior for Panics {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                call.run().await?;
                panic!("after the answer")
            }
        }

        let log = Log::default();
        for mediator in [
            shop(&log).behavior(Lenient).behavior(FailsToCommit).build().unwrap(),
            shop(&log).behavior(Lenient).behavior(Panics).build().unwrap(),
        ] {
            let error = block_on(mediator.send(Count)).unwrap_err();
            assert!(format!("{error:#}").contains("has not answered"), "{error:#}");
        }
    }

    #[test]
    fn a_run_that_has_ended_is_not_run_again_by_polling_it() {
        #[behavior(lends(&mut u8))]
        struct PollsAgain(bool);

        impl Behavior for PollsAgain {
            async fn handle(&self, mut call: Call<'_>) -> Outcome {
                let mut lent = 1_u8;
                if self.0 {
                    let mut run = Box::pin(call.with(&mut lent).run());
                    run.as_mut().await?;
                    run.await
                } else {
                    let mut run = Box::pin(call.run());
                    run.as_mut().await?;
                    run.await
                }
            }
        }

        for lends in [false, true] {
            let log = Log::default();
            let mediator = shop(&log).behavior(PollsAgain(lends)).build().unwrap();
            let error = block_on(mediator.send(Count)).unwrap_err();
            assert_eq!(error.panic_message(), Some("a run was polled again after it had ended"));
            assert_eq!(log.entries(), ["counted"]);
        }
    }

    /// Woken from outside after everything is gone: nobody is left to be woken.
    #[test]
    fn nothing_is_woken_of_a_passage_that_is_gone() {
        #[event_handler(manual)]
        async fn waits(_event: &Placed, gate: Arc<Mutex<Option<oneshot::Receiver<()>>>>) {
            let gate = gate.lock().unwrap().take();
            if let Some(gate) = gate {
                let _ = gate.await;
            }
        }

        let (open, gate) = oneshot::channel::<()>();
        let builder = bare().provide(Arc::new(Mutex::new(Some(gate)))).bind_fn(waits);
        let mediator = builder.behavior(Around::<1>(Log::default())).build().unwrap();
        let mut publish = Stepped::new(mediator.publish(Placed::new()));
        assert!(publish.step().is_pending());
        drop(publish);
        assert!(open.is_canceled());
        drop(open);
    }
}
