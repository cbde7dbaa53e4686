//! The shipped behaviors `Timeout` and `Retry`, and the options of handlers that put them around one.
//!
//! The clock stands still while something runs, and goes on when all wait: no test waits for real.

use std::error::Error;
use std::future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{HandlerInfo, MediatorBuilder, Retry, TimedOut, Timeout, Topology};
use mediator_tests::Log;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn bare() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// How often what is injected it has run, and how often it fails at first.
#[derive(Clone, Default)]
struct Runs(Arc<(AtomicU32, AtomicU32)>);

impl Runs {
    fn failing(times: u32) -> Self {
        Self(Arc::new((AtomicU32::new(0), AtomicU32::new(times))))
    }

    fn count(&self) -> u32 {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Counts one more, which may be a failure.
    fn run(&self) -> io::Result<()> {
        let before = self.0.0.fetch_add(1, Ordering::Relaxed);
        if before < self.0.1.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
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
struct Place;

#[request]
struct Tidy;

#[request(error = anyhow::Error)]
struct Ship;

#[event_handler(manual)]
async fn placed(_event: &Placed, runs: Runs) -> io::Result<()> {
    runs.run()
}

#[event_handler(manual)]
async fn waits(_event: &Placed, log: Log) {
    let _dropped = log.on_drop("dropped");
    log.add("waits");
    future::pending::<()>().await;
}

#[request_handler(manual)]
async fn place(_request: &Place, runs: Runs) -> Result<u32, OrderError> {
    runs.run().map(|()| runs.count()).map_err(|_| OrderError::OutOfStock)
}

#[request_handler(manual)]
async fn tidy(_request: &Tidy) {
    future::pending::<()>().await;
}

#[request_handler(manual)]
async fn ship(_request: &Ship, runs: Runs) -> anyhow::Result<()> {
    Ok(runs.run()?)
}

/// What a failed send says of a timeout.
fn timed_out(error: &SendError) -> Option<&TimedOut> {
    assert!(matches!(error, SendError::Refused(_)), "{error}");
    error.source()?.downcast_ref()
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_dropped_where_it_waits() {
    let (log, started) = (Log::default(), Instant::now());
    let mediator = bare().provide(log.clone()).bind_fn(waits).behavior(Timeout::new(SECOND)).build().unwrap();
    let error = mediator.publish(Placed::new()).await.unwrap_err();
    assert_eq!(started.elapsed(), SECOND);
    assert_eq!(log.take(), ["waits", "dropped"]);
    assert_eq!(error.downcast_ref::<TimedOut>().unwrap().limit(), SECOND);
    assert!(format!("{error:#}").ends_with("timed out after 1s"), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn each_handler_has_the_time_for_itself() {
    #[event_handler(manual)]
    async fn first(_event: &Placed) {
        sleep(SECOND * 2 / 3).await;
    }

    #[event_handler(manual)]
    async fn second(_event: &Placed) {
        sleep(SECOND * 2 / 3).await;
    }

    let mediator = bare().bind_fn(first).bind_fn(second).behavior(Timeout::new(SECOND)).build().unwrap();
    mediator.publish(Placed::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_refused_for_that_reason() {
    #[request_handler(manual)]
    async fn place(_request: &Place) -> Result<u32, OrderError> {
        future::pending().await
    }

    #[request_handler(manual)]
    async fn ship(_request: &Ship) -> anyhow::Result<()> {
        future::pending().await
    }

    let builder = bare().bind_fn(place).bind_fn(tidy).bind_fn(ship).behavior(Timeout::new(SECOND));
    let mediator = builder.build().unwrap();
    let Err(OrderError::Send(error)) = mediator.send(Place).await else { panic!("no error of the send") };
    assert_eq!(timed_out(&error).unwrap().limit(), SECOND);
    assert_eq!(timed_out(&mediator.send(Tidy).await.unwrap_err()).unwrap().limit(), SECOND);
    let error = mediator.send(Ship).await.unwrap_err();
    assert!(timed_out(error.downcast_ref().unwrap()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_handler_runs_until_it_succeeds_or_has_run_often_enough() {
    for (attempts, failures) in (0..5).flat_map(|attempts| (0..5).map(move |failures| (attempts, failures))) {
        let (runs, started) = (Runs::failing(failures), Instant::now());
        let retry = Retry::new().attempts(attempts).base(SECOND).cap(2 * SECOND);
        let mediator = bare().provide(runs.clone()).bind_fn(placed).behavior(retry).build().unwrap();
        let outcome = mediator.publish(Placed::new()).await;
        let expected = attempts.max(1).min(failures + 1);
        assert_eq!(runs.count(), expected, "{attempts} attempts, {failures} failures");
        assert_eq!(outcome.is_ok(), failures < attempts.max(1));
        let longest: Duration = [SECOND, 2 * SECOND, 2 * SECOND, 2 * SECOND].iter().take(expected as usize - 1).sum();
        // A timer goes off at a whole millisecond.
        assert!(started.elapsed() <= longest + 4 * Duration::from_millis(1), "{:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_handler_runs_again() {
    #[event_handler(manual)]
    fn counts(_event: &Placed, log: Log) {
        log.add("counted");
    }

    let (log, runs) = (Log::default(), Runs::failing(2));
    let builder = bare().provide(log.clone()).provide(runs.clone()).bind_fn(counts).bind_fn(placed);
    builder.behavior(Retry::new()).build().unwrap().publish(Placed::new()).await.unwrap();
    assert_eq!((runs.count(), log.take()), (3, vec!["counted".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn the_answer_and_the_error_of_the_last_run_are_the_senders() {
    let runs = Runs::failing(4);
    let mediator = bare().provide(runs.clone()).bind_fn(place).behavior(Retry::new()).build().unwrap();
    assert!(matches!(mediator.send(Place).await, Err(OrderError::OutOfStock)));
    assert_eq!(mediator.send(Place).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_predicate_decides_and_is_shown_the_handlers_own_error() {
    fn is_transient(error: &(dyn Error + 'static)) -> bool {
        error.is::<io::Error>()
    }

    async fn runs_of(retry: Retry) -> [u32; 3] {
        let mut counts = [0; 3];
        for (index, count) in counts.iter_mut().enumerate() {
            let runs = Runs::failing(9);
            let builder = bare().provide(runs.clone()).bind_fn(placed).bind_fn(place).bind_fn(ship);
            let mediator = builder.behavior(retry.clone()).build().unwrap();
            match index {
                0 => assert!(mediator.publish(Placed::new()).await.unwrap_err().downcast_ref::<io::Error>().is_some()),
                1 => assert!(matches!(mediator.send(Place).await, Err(OrderError::OutOfStock))),
                _ => assert!(mediator.send(Ship).await.unwrap_err().is::<io::Error>()),
            }
            *count = runs.count();
        }
        counts
    }

    assert_eq!(runs_of(Retry::new().when(is_transient)).await, [3, 1, 3]);
    assert_eq!(runs_of(Retry::new().when(|error| error.is::<OrderError>())).await, [1, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_retried() {
    #[event_handler(manual)]
    fn panics(_event: &Placed, log: Log) {
        log.add("runs");
        panic!("thirteen");
    }

    let log = Log::default();
    let mediator = bare().provide(log.clone()).bind_fn(panics).behavior(Retry::new()).build().unwrap();
    let error = mediator.publish(Placed::new()).await.unwrap_err();
    assert_eq!(error.failures()[0].panic_message(), Some("thirteen"));
    assert_eq!(log.take(), ["runs"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_inside_is_an_error_like_any_other() {
    struct Refusing(Log);

    impl Behavior<Place> for Refusing {
        async fn handle(&self, call: Call<'_, Place>) -> Result<u32, OrderError> {
            self.0.add("refuses");
            call.refuse("no credit")
        }
    }

    for (retry, refusals) in [(Retry::new(), 3), (Retry::new().when(|error| error.is::<io::Error>()), 1)] {
        let log = Log::default();
        let builder = bare().provide(Runs::default()).bind_fn(place).behavior(Refusing(log.clone()));
        let error = builder.behavior(retry).build().unwrap().send(Place).await.unwrap_err();
        assert!(matches!(error, OrderError::Send(SendError::Refused(_))));
        assert_eq!(log.take().len(), refusals);
    }
}

/// What handlers write into.
#[derive(Default)]
struct Ledger(Vec<&'static str>);

#[event_handler(manual)]
fn writes(_event: &Placed, ledger: &mut Ledger, runs: Runs) -> io::Result<()> {
    ledger.0.push("written");
    runs.run()
}

#[event_handler(manual)]
fn may_write(_event: &Placed, ledger: Option<&mut Ledger>, runs: Runs) -> io::Result<()> {
    if let Some(ledger) = ledger {
        ledger.0.push("written");
    }
    runs.run()
}

#[event_handler(manual)]
fn reads(_event: &Placed, _ledger: &Ledger, runs: Runs) -> io::Result<()> {
    runs.run()
}

/// Lends a ledger, unless there is one.
struct Lends;

impl Behavior<Placed> for Lends {
    async fn handle(&self, mut call: Call<'_, Placed>) -> Outcome {
        if call.lends::<Ledger>() {
            return call.run().await;
        }
        call.with(&mut Ledger::default()).run().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_borrows_exclusively_from_outside_is_left_alone() {
    let retrying = |runs: &Runs| bare().provide(runs.clone()).behavior(Retry::new());
    let (runs, mut ledger) = (Runs::failing(1), Ledger::default());
    let mediator = retrying(&runs).bind_fn(writes).build().unwrap();
    mediator.with(&mut ledger).publish(Placed::new()).await.unwrap_err();
    assert_eq!((runs.count(), &*ledger.0), (1, &["written"][..]));

    let (runs, mut ledger) = (Runs::failing(1), Ledger::default());
    let mediator = retrying(&runs).bind_fn(may_write).build().unwrap();
    mediator.with(&mut ledger).publish(Placed::new()).await.unwrap_err();
    assert_eq!((runs.count(), &*ledger.0), (1, &["written"][..]));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_borrows_nothing_exclusively_runs_again() {
    let retrying = |runs: &Runs| bare().provide(runs.clone()).behavior(Retry::new());
    let (runs, mut ledger) = (Runs::failing(1), Ledger::default());
    let mediator = retrying(&runs).bind_fn(reads).build().unwrap();
    mediator.with(&mut ledger).publish(Placed::new()).await.unwrap();
    assert_eq!(runs.count(), 2);

    // Nobody lends what it could do with.
    let runs = Runs::failing(1);
    retrying(&runs).bind_fn(may_write).build().unwrap().publish(Placed::new()).await.unwrap();
    assert_eq!(runs.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_behavior_inside_lends_is_lent_anew_to_each_run() {
    // `Lends` is inside, as it is around one message.
    let runs = Runs::failing(1);
    let builder = bare().provide(runs.clone()).bind_fn(may_write).behavior(Retry::new()).behavior(Lends);
    builder.build().unwrap().publish(Placed::new()).await.unwrap();
    assert_eq!(runs.count(), 2);

    // But not if it passes on what the publish lends.
    let (runs, mut ledger) = (Runs::failing(1), Ledger::default());
    let builder = bare().provide(runs.clone()).bind_fn(may_write).behavior(Retry::new()).behavior(Lends);
    let mediator = builder.build().unwrap();
    mediator.with(&mut ledger).publish(Placed::new()).await.unwrap_err();
    assert_eq!((runs.count(), &*ledger.0), (1, &["written"][..]));
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_of_the_one_that_lends_is_none() {
    struct Inside;

    impl Behavior<Placed> for Inside {
        async fn handle(&self, mut call: Call<'_, Placed>) -> Outcome {
            assert!(call.borrows_exclusively());
            Retry::new().run(&mut call).await
        }
    }

    let runs = Runs::failing(1);
    let builder = bare().provide(runs.clone()).bind_fn(may_write).behavior(Lends).behavior(Inside);
    builder.build().unwrap().publish(Placed::new()).await.unwrap_err();
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_behavior_of_the_users_own_runs_them() {
    struct Careful;

    impl Behavior<Place> for Careful {
        async fn handle(&self, mut call: Call<'_, Place>) -> Result<u32, OrderError> {
            Retry::new().when(|error| matches!(error.downcast_ref(), Some(OrderError::OutOfStock))).run(&mut call).await
        }
    }

    struct Patient;

    impl Behavior<Tidy> for Patient {
        async fn handle(&self, mut call: Call<'_, Tidy>) -> Result<(), SendError> {
            Timeout::new(SECOND).run(&mut call).await
        }
    }

    let builder = bare().provide(Runs::failing(2)).bind_fn(place).bind_fn(tidy);
    let mediator = builder.behavior(Careful).behavior(Patient).build().unwrap();
    assert_eq!(mediator.send(Place).await.unwrap(), 3);
    assert!(timed_out(&mediator.send(Tidy).await.unwrap_err()).is_some());
}

#[test]
fn what_succeeds_at_once_needs_no_runtime_to_be_retried() {
    let mediator = bare().provide(Runs::default()).bind_fn(placed).behavior(Retry::new()).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
}

#[test]
fn without_a_runtime_a_timeout_is_the_handlers_panic() {
    let mediator = bare().provide(Runs::default()).bind_fn(placed).behavior(Timeout::new(SECOND)).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert!(error.failures()[0].panic_message().unwrap().contains("Tokio"), "{error}");
}

/// Handlers of every form, with the options.
mod with_options {
    use super::*;

    /// Waits longer than is allowed, until it has run often enough.
    async fn wait(runs: &Runs) {
        if runs.run().is_err() {
            future::pending::<()>().await;
        }
    }

    #[event_handler(timeout = "1s", retry(attempts = 3, base = "0ms"), manual)]
    pub(super) async fn function(_event: &Placed, runs: Runs) {
        wait(&runs).await;
    }

    #[event_handler(timeout = "1s", retry(attempts = 3, base = "0ms"), manual)]
    pub(super) async fn observer(_event: &dyn DynNotification, runs: Runs) {
        wait(&runs).await;
    }

    #[request_handler(retry(attempts = 3, base = "0ms", cap = "1m"), timeout = "1s", manual)]
    pub(super) async fn request(_request: &Place, runs: Runs) -> Result<u32, OrderError> {
        wait(&runs).await;
        Ok(runs.count())
    }

    #[derive(Inject)]
    pub(super) struct Desk {
        runs: Runs,
    }

    #[event_handlers]
    impl Desk {
        #[event_handler(timeout = "1s", retry(attempts = 3, base = "0ms"), manual)]
        pub(super) async fn method(&self, _event: &Placed) {
            wait(&self.runs).await;
        }
    }

    #[event]
    pub(super) struct Returned {}

    #[event_handler(Returned, timeout = "1s", retry(attempts = 3, base = "0ms"))]
    pub(super) struct OnStruct {
        runs: Runs,
    }

    impl EventHandler<Returned> for OnStruct {
        async fn handle(&self, _event: &Returned) {
            wait(&self.runs).await;
        }
    }

    #[derive(Inject)]
    pub(super) struct OnImpl {
        runs: Runs,
    }

    #[request_handler(timeout = "1s", retry(attempts = 3, base = "0ms"))]
    impl RequestHandler<Ship> for OnImpl {
        async fn handle(&self, _request: &Ship) -> anyhow::Result<()> {
            wait(&self.runs).await;
            Ok(())
        }
    }
}

/// A mediator with the discovered handlers of `with_options`.
fn discovering(runs: &Runs) -> Mediator {
    let here = |registration: &mediator_core::Registration| registration.module_path().ends_with("::with_options");
    let builder = Mediator::builder().discover_where(here).without_behaviors().allow_unhandled_requests();
    builder.provide(runs.clone()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_the_time_that_the_handler_has() {
    use with_options::*;

    let binds: [fn(MediatorBuilder) -> MediatorBuilder; 3] = [
        |builder| builder.bind_fn(function),
        |builder| builder.bind_fn(observer),
        |builder| builder.bind_fn(Desk::method),
    ];
    for bind in binds {
        for (failures, runs) in [(2, Runs::failing(2)), (3, Runs::failing(3))] {
            let started = Instant::now();
            let outcome = bind(bare().provide(runs.clone())).build().unwrap().publish(Placed::new()).await;
            assert_eq!(started.elapsed(), failures * SECOND);
            assert_eq!(runs.count(), 3);
            let error = outcome.err();
            assert_eq!(error.as_ref().is_some_and(|error| error.downcast_ref::<TimedOut>().is_some()), failures == 3);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_handler_may_have_them_too() {
    let runs = Runs::failing(2);
    let mediator = bare().provide(runs.clone()).bind_fn(with_options::request).build().unwrap();
    assert_eq!(mediator.send(Place).await.unwrap(), 3);

    let runs = Runs::failing(3);
    let mediator = bare().provide(runs.clone()).bind_fn(with_options::request).build().unwrap();
    let Err(OrderError::Send(error)) = mediator.send(Place).await else { panic!("no error of the send") };
    assert_eq!((timed_out(&error).unwrap().limit(), runs.count()), (SECOND, 3));
}

#[tokio::test(start_paused = true)]
async fn structs_and_impl_blocks_may_have_them_too() {
    let runs = Runs::failing(2);
    discovering(&runs).publish(with_options::Returned::new()).await.unwrap();
    assert_eq!(runs.count(), 3);

    let runs = Runs::failing(3);
    let error = discovering(&runs).send(Ship).await.unwrap_err();
    assert!(timed_out(error.downcast_ref().unwrap()).is_some());
    assert_eq!(runs.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn they_are_inside_of_all_behaviors() {
    struct Around(Log);

    impl Behavior<Place> for Around {
        async fn handle(&self, mut call: Call<'_, Place>) -> Result<u32, OrderError> {
            self.0.add("starts");
            let outcome = call.run().await;
            self.0.add("ends");
            outcome
        }
    }

    let (log, runs) = (Log::default(), Runs::failing(2));
    let builder = bare().provide(runs.clone()).bind_fn(with_options::request).behavior(Around(log.clone()));
    assert_eq!(builder.build().unwrap().send(Place).await.unwrap(), 3);
    assert_eq!(log.take(), ["starts", "ends"]);
}

#[test]
fn the_topology_shows_them_around_their_handler() {
    fn names(topology: &Topology) -> Vec<String> {
        let handlers = topology.events().iter().flat_map(|event| event.handlers());
        let handlers = handlers.chain(topology.requests().iter().filter_map(|request| request.handler()));
        let behaviors = handlers.map(|handler| handler.behaviors().iter().map(name).collect::<Vec<_>>().join(", "));
        behaviors.filter(|behaviors| !behaviors.is_empty()).collect()
    }

    fn name(behavior: &HandlerInfo) -> &str {
        behavior.name().rsplit("::").next().unwrap()
    }

    let builder = bare().provide(Runs::default()).bind_fn(with_options::function).bind_fn(with_options::request);
    let mediator = builder.behavior(Lends).build().unwrap();
    let topology = mediator.topology();
    assert_eq!(names(topology), ["Lends, Retry, Timeout", "Retry, Timeout"]);
    let [event] = &*topology.events().iter().filter(|event| !event.handlers().is_empty()).collect::<Vec<_>>() else {
        panic!("one event is handled");
    };
    assert!(topology.to_string().contains("inside Lends, Retry, Timeout"), "{topology}");
    let behaviors = event.handlers()[0].behaviors();
    assert!(behaviors[1].location().file().ends_with("retries.rs"));
    assert_eq!(behaviors[1].crate_name(), "behavior");
}

#[test]
fn they_are_values_that_can_be_looked_at() {
    assert_eq!(format!("{:?}", Timeout::new(SECOND)), "Timeout { limit: 1s }");
    assert_eq!(format!("{:?}", Retry::default()), "Retry { attempts: 3, base: 100ms, cap: 10s }");
    assert!(format!("{:?}", Retry::new().when(|_| true)).ends_with(", .. }"));
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_dropped_between_two_runs_runs_no_more() {
    let runs = Runs::failing(9);
    let retry = Retry::new().base(Duration::from_secs(1 << 40)).cap(Duration::MAX);
    let mediator = bare().provide(runs.clone()).bind_fn(placed).behavior(retry).build().unwrap();
    assert!(mediator.publish(Placed::new()).now_or_never().is_none());
    sleep(SECOND).await;
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_written_by_hand_may_have_them_too() {
    struct ByHand;

    impl Request for ByHand {
        type Response = u32;
        type Error = SendError;
        type Output = u32;

        fn into_result(output: u32) -> Result<u32, SendError> {
            Ok(output)
        }
    }

    #[request_handler(timeout = "1s", retry(attempts = 2, base = "0ms"), manual)]
    async fn answers(_request: &ByHand, runs: Runs) -> u32 {
        if runs.run().is_err() {
            future::pending::<()>().await;
        }
        runs.count()
    }

    let mediator = bare().provide(Runs::failing(1)).bind_fn(answers).build().unwrap();
    assert_eq!(mediator.send(ByHand).await.unwrap(), 2);
}
