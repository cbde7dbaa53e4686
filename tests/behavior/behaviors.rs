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
            assert_eq!(room.iter().map(|byte| usize::from(*byte)).sum::<usize>(), SIZE);
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

    fn with_sizes<const N: usize>() {
        ask::<N>(bare());
        ask::<N>(bare().behavior(Large::<1>));
        ask::<N>(bare().behavior(Large::<60>).behavior(Large::<1>).behavior(Large::<70>));
        ask::<N>(bare().behavior(Large::<500>).behavior(Large::<5000>).behavior(Large::<40>));
    }

    with_sizes::<0>();
    with_sizes::<40>();
    with_sizes::<120>();
    with_sizes::<1000>();
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
}
