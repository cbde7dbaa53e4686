//! Behaviors with random scripts around handlers with random scripts, against a plain model: in which order everything starts,
//! ends and is dropped, and with which result, also when the future is dropped at any poll.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use mediator_core::prelude::*;
use mediator_core::{AnyMessage, MediatorBuilder, Message};
use mediator_tests::{Log, Stepped, pending};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a behavior does.
#[derive(Clone, Copy, Debug)]
struct Script {
    before: usize,
    act: Act,
    after: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Run,
    /// Up to so often, while it fails.
    Retry(usize),
    Refuse,
    /// `Ok` without running what is inside.
    Skip,
    /// Another error in place of any.
    Turn,
    /// An error, although what is inside is well.
    Reject,
    /// `Ok`, whatever the result of what is inside.
    Swallow,
    PanicBefore,
    PanicAfter,
}

/// What a handler does when it is called the first time, the second time, and so on.
type Runs = Vec<(usize, End)>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Ok,
    Error,
    Panic,
}

#[derive(Clone, Debug)]
struct Case {
    /// Around every message.
    any: Vec<Script>,
    /// Around one.
    typed: Vec<Script>,
    handlers: [Runs; 2],
    /// Dropped when it has been pending so often.
    patience: usize,
}

fn scripts() -> impl Strategy<Value = Vec<Script>> {
    let act = prop_oneof![
        4 => Just(Act::Run),
        2 => (1..4_usize).prop_map(Act::Retry),
        1 => Just(Act::Refuse),
        1 => Just(Act::Skip),
        1 => Just(Act::Turn),
        1 => Just(Act::Reject),
        1 => Just(Act::Swallow),
        1 => Just(Act::PanicBefore),
        1 => Just(Act::PanicAfter),
    ];
    vec((0..2_usize, act, 0..2_usize).prop_map(|(before, act, after)| Script { before, act, after }), 0..4)
}

fn runs() -> impl Strategy<Value = Runs> {
    let end = prop_oneof![3 => Just(End::Ok), 3 => Just(End::Error), 1 => Just(End::Panic)];
    vec((0..2_usize, end), 1..4)
}

fn cases() -> impl Strategy<Value = Case> {
    let patience = prop_oneof![2 => Just(usize::MAX), 3 => 0..12_usize];
    (scripts(), scripts(), [runs(), runs()], patience).prop_map(|(any, typed, handlers, patience)| Case {
        any,
        typed,
        handlers,
        patience,
    })
}

// The real thing

#[event]
struct Placed {}

#[request(u32, error = PlaceError)]
struct Place;

#[derive(Debug, thiserror::Error)]
enum PlaceError {
    #[error("run {0} of the handler")]
    Own(usize),
    #[error("turned")]
    Turned,
    #[error(transparent)]
    Send(#[from] SendError),
}

struct Scripted<const N: usize> {
    script: Script,
    log: Log,
}

impl<const N: usize> Scripted<N> {
    /// `skipped` and `turned` are what a behavior of this message returns of its own.
    async fn run<M: Message>(
        &self,
        mut call: Call<'_, M>,
        skipped: impl FnOnce() -> Outcome<M>,
        turned: impl Fn() -> Outcome<M>,
    ) -> Outcome<M> {
        self.log.add(format!("{N} starts"));
        let mut end = self.log.on_drop(format!("{N} is dropped"));
        pending(self.script.before).await;
        let outcome = match self.script.act {
            Act::PanicBefore => panic!("{N}"),
            Act::Refuse => call.refuse("refused"),
            Act::Skip => skipped(),
            Act::Retry(times) => {
                let mut outcome = call.run().await;
                for _ in 1..times {
                    if outcome.is_err() {
                        outcome = call.run().await;
                    }
                }
                outcome
            }
            Act::Turn => match call.run().await {
                Err(_) => turned(),
                outcome => outcome,
            },
            Act::Reject => match call.run().await {
                Ok(_) => turned(),
                outcome => outcome,
            },
            Act::Swallow => match call.run().await {
                Err(_) => skipped(),
                outcome => outcome,
            },
            Act::Run | Act::PanicAfter => call.run().await,
        };
        pending(self.script.after).await;
        assert_ne!(self.script.act, Act::PanicAfter, "{N}");
        end.set(format!("{N} {}", if outcome.is_ok() { "ends" } else { "fails" }));
        outcome
    }
}

impl<const N: usize> Behavior for Scripted<N> {
    async fn handle(&self, call: Call<'_>) -> Outcome {
        self.run(call, || Ok(()), || Err(Box::new(PlaceError::Turned))).await
    }
}

impl<const N: usize> Behavior<Placed> for Scripted<N> {
    async fn handle(&self, call: Call<'_, Placed>) -> Outcome {
        self.run(call, || Ok(()), || Err(Box::new(PlaceError::Turned))).await
    }
}

impl<const N: usize> Behavior<Place> for Scripted<N> {
    async fn handle(&self, call: Call<'_, Place>) -> Outcome<Place> {
        self.run(call, || Ok(N as u32), || Err(PlaceError::Turned)).await
    }
}

struct Handler<const N: usize> {
    runs: Runs,
    log: Log,
    called: AtomicUsize,
}

impl<const N: usize> Handler<N> {
    fn new(runs: &Runs, log: &Log) -> Self {
        Self { runs: runs.clone(), log: log.clone(), called: AtomicUsize::new(0) }
    }

    async fn run(&self) -> Result<u32, PlaceError> {
        let called = self.called.fetch_add(1, Ordering::Relaxed);
        let (waits, end) = self.runs[called % self.runs.len()];
        self.log.add(format!("handler {N}"));
        let mut ended = self.log.on_drop(format!("handler {N} is dropped"));
        pending(waits).await;
        assert_ne!(end, End::Panic, "{called}");
        ended.set(format!("handler {N} is over"));
        if end == End::Ok { Ok(100 + called as u32) } else { Err(PlaceError::Own(called)) }
    }
}

impl<const N: usize> EventHandler<Placed> for Handler<N> {
    async fn handle(&self, _event: &Placed) -> Result<(), PlaceError> {
        self.run().await.map(|_| ())
    }
}

impl RequestHandler<Place> for Handler<0> {
    async fn handle(&self, _request: &Place) -> Result<u32, PlaceError> {
        self.run().await
    }
}

fn with_scripts<M: Message>(builder: MediatorBuilder, scripts: &[Script], log: &Log, typed: bool) -> MediatorBuilder
where
    Scripted<0>: Behavior<M>,
    Scripted<1>: Behavior<M>,
    Scripted<2>: Behavior<M>,
    Scripted<10>: Behavior<M>,
    Scripted<11>: Behavior<M>,
    Scripted<12>: Behavior<M>,
{
    let mut builder = builder;
    for (index, &script) in scripts.iter().enumerate() {
        let log = log.clone();
        builder = match index + if typed { 10 } else { 0 } {
            0 => builder.behavior::<M, _>(Scripted::<0> { script, log }),
            1 => builder.behavior::<M, _>(Scripted::<1> { script, log }),
            2 => builder.behavior::<M, _>(Scripted::<2> { script, log }),
            10 => builder.behavior::<M, _>(Scripted::<10> { script, log }),
            11 => builder.behavior::<M, _>(Scripted::<11> { script, log }),
            12 => builder.behavior::<M, _>(Scripted::<12> { script, log }),
            _ => unreachable!("there are three"),
        };
    }
    builder
}

fn bare() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// Polls until it is ready or patience is over.
fn drive<T>(future: impl Future<Output = T>, patience: usize) -> Option<T> {
    let mut future = Stepped::new(future);
    let mut polls = 0;
    loop {
        match future.step() {
            Poll::Ready(output) => return Some(output),
            Poll::Pending if polls == patience => return None,
            Poll::Pending => polls += 1,
        }
    }
}

// The model

/// The result of a handler, or of a behavior around it.
#[derive(Clone, Debug, PartialEq)]
enum Ended {
    Ok(u32),
    Own(usize),
    Turned,
    Refused,
    NotAnswered,
    Panicked,
}

impl Ended {
    fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }
}

#[derive(Default)]
struct Model {
    log: Vec<String>,
    /// Who is under way, outermost first.
    under_way: Vec<String>,
    pendings: usize,
    patience: usize,
    called: usize,
}

/// The future was dropped.
struct Dropped;

impl Model {
    fn new(patience: usize) -> Self {
        Self { patience, ..Self::default() }
    }

    fn pend(&mut self, times: usize) -> Result<(), Dropped> {
        for _ in 0..times {
            if self.pendings == self.patience {
                return Err(Dropped);
            }
            self.pendings += 1;
        }
        Ok(())
    }

    fn end(&mut self, how: &str) {
        let name = self.under_way.pop().unwrap();
        self.log.push(format!("{name} {how}"));
    }

    fn drop_all(&mut self) {
        while !self.under_way.is_empty() {
            self.end("is dropped");
        }
    }

    fn handler(&mut self, number: usize, runs: &Runs) -> Result<Ended, Dropped> {
        let (waits, end) = runs[self.called % runs.len()];
        let called = self.called;
        self.called += 1;
        self.log.push(format!("handler {number}"));
        self.under_way.push(format!("handler {number}"));
        self.pend(waits)?;
        if end == End::Panic {
            return Ok(self.panics());
        }
        self.end("is over");
        Ok(if end == End::Ok { Ended::Ok(100 + called as u32) } else { Ended::Own(called) })
    }

    fn panics(&mut self) -> Ended {
        self.end("is dropped");
        Ended::Panicked
    }

    /// `scripts` with the number of each, and whether it knows the request's type.
    fn passage(
        &mut self,
        scripts: &[(usize, Script)],
        handler: (usize, &Runs),
        is_request: bool,
    ) -> Result<Ended, Dropped> {
        let Some((&(number, script), inside)) = scripts.split_first() else {
            return self.handler(handler.0, handler.1);
        };
        self.log.push(format!("{number} starts"));
        self.under_way.push(number.to_string());
        self.pend(script.before)?;
        let mut came = match script.act {
            Act::PanicBefore => Ended::Panicked,
            Act::Refuse => Ended::Refused,
            // Around every message it has no answer, and leaves the others as they are.
            Act::Skip if is_request && number < 10 => Ended::NotAnswered,
            Act::Skip => Ended::Ok(number as u32),
            Act::Retry(times) => {
                let mut came = self.passage(inside, handler, is_request)?;
                for _ in 1..times {
                    if !came.is_ok() && came != Ended::Panicked && came != Ended::NotAnswered {
                        came = self.passage(inside, handler, is_request)?;
                    }
                }
                came
            }
            Act::Turn => match self.passage(inside, handler, is_request)? {
                came @ (Ended::Ok(_) | Ended::Panicked | Ended::NotAnswered) => came,
                _ => Ended::Turned,
            },
            Act::Reject => match self.passage(inside, handler, is_request)? {
                Ended::Ok(_) | Ended::NotAnswered => Ended::Turned,
                came => came,
            },
            Act::Swallow => match self.passage(inside, handler, is_request)? {
                came @ (Ended::Ok(_) | Ended::Panicked | Ended::NotAnswered) => came,
                _ if is_request && number < 10 => Ended::NotAnswered,
                _ => Ended::Ok(number as u32),
            },
            Act::Run | Act::PanicAfter => self.passage(inside, handler, is_request)?,
        };
        if came != Ended::Panicked {
            self.pend(script.after)?;
        }
        if script.act == Act::PanicAfter {
            came = Ended::Panicked;
        }
        match &came {
            Ended::Panicked => _ = self.panics(),
            // To behaviors around every message it looks well.
            Ended::Ok(_) | Ended::NotAnswered => self.end("ends"),
            _ => self.end("fails"),
        }
        Ok(came)
    }
}

fn numbered(case: &Case) -> Vec<(usize, Script)> {
    let any = case.any.iter().copied().enumerate();
    any.chain(case.typed.iter().copied().enumerate().map(|(index, script)| (10 + index, script))).collect()
}

/// Of a request; of an event, the failure's.
fn of_error(error: &PlaceError) -> Ended {
    match error {
        PlaceError::Own(called) => Ended::Own(*called),
        PlaceError::Turned => Ended::Turned,
        PlaceError::Send(SendError::Panicked(_)) => Ended::Panicked,
        PlaceError::Send(error) if format!("{error:#}").contains("has not answered") => Ended::NotAnswered,
        PlaceError::Send(_) => Ended::Refused,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(mediator_tests::cases(2_000)))]

    #[test]
    fn a_request_passes_through_behaviors_as_in_the_model(case in cases()) {
        let log = Log::default();
        let builder = bare().bind_request_handler::<Place, _>(Handler::<0>::new(&case.handlers[0], &log));
        let builder = with_scripts::<AnyMessage>(builder, &case.any, &log, false);
        let mediator = with_scripts::<Place>(builder, &case.typed, &log, true).build().unwrap();
        let answer = drive(mediator.send(Place), case.patience);

        let mut model = Model::new(case.patience);
        let expected = model.passage(&numbered(&case), (0, &case.handlers[0]), true);
        model.drop_all();
        prop_assert_eq!(log.entries(), model.log);
        let answer = answer.map(|answer| answer.map_or_else(|error| of_error(&error), Ended::Ok));
        prop_assert_eq!(answer, expected.ok());
    }

    #[test]
    fn the_handlers_of_an_event_pass_one_after_another(case in cases()) {
        let log = Log::default();
        let builder = bare()
            .bind_handler::<Placed, _>(Handler::<0>::new(&case.handlers[0], &log))
            .bind_handler::<Placed, _>(Handler::<1>::new(&case.handlers[1], &log));
        let builder = with_scripts::<AnyMessage>(builder, &case.any, &log, false);
        let mediator = with_scripts::<Placed>(builder, &case.typed, &log, true).build().unwrap();
        let published = drive(mediator.publish(Placed::new()), case.patience);

        let mut model = Model::new(case.patience);
        let mut expected = Ok(Ended::Ok(0));
        for (number, runs) in case.handlers.iter().enumerate() {
            model.called = 0;
            expected = model.passage(&numbered(&case), (number, runs), false);
            if !expected.as_ref().is_ok_and(Ended::is_ok) {
                break;
            }
        }
        model.drop_all();
        prop_assert_eq!(log.entries(), model.log);
        let published = published.map(|published| published.map_or_else(|error| of_publish(&error), |()| Ended::Ok(0)));
        prop_assert_eq!(published, expected.ok().map(|came| if came.is_ok() { Ended::Ok(0) } else { came }));
    }
}

fn of_publish(error: &PublishError) -> Ended {
    let failure = &error.failures()[0];
    if failure.panic_message().is_some() {
        return Ended::Panicked;
    }
    error.downcast_ref::<PlaceError>().map_or(Ended::Refused, of_error)
}
