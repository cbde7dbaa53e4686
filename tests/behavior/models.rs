//! Both strategies against a plain model of them, over random handlers.

use std::task::Poll;

use mediator_core::prelude::*;
use mediator_tests::{End, Log, Said, Script, Stepped, Wait, bind_many_scripted, cases, gate, many};
use proptest::prelude::*;

#[event]
struct Tick;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sequential,
    BestEffort,
    Group,
    Join,
}

/// The ways in which a strategy comes to run.
#[derive(Clone, Copy, Debug)]
enum Way {
    Installed,
    OfTheCall,
    ByPublisher,
    Boxed,
    InAList,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Ok,
    Failed(Said),
    Cancelled,
}

/// What ought to happen, without futures, slots or tables.
struct Model {
    kind: Kind,
    ends: Vec<End>,
    started: usize,
    running: Vec<usize>,
    failures: Vec<(usize, String)>,
    log: Vec<String>,
}

impl Model {
    fn new(kind: Kind, ends: impl IntoIterator<Item = End>) -> Self {
        let ends = ends.into_iter().collect();
        Self { kind, ends, started: 0, running: Vec::new(), failures: Vec::new(), log: Vec::new() }
    }

    /// One poll of the publish; `ready` is asked about each handler that is polled.
    fn poll(&mut self, ready: impl FnMut(usize) -> bool) -> Option<Outcome> {
        match self.kind {
            Kind::Sequential => self.poll_in_order(ready, true),
            Kind::BestEffort => self.poll_in_order(ready, false),
            Kind::Group => self.poll_at_once(ready, true),
            Kind::Join => self.poll_at_once(ready, false),
        }
    }

    fn poll_in_order(&mut self, mut ready: impl FnMut(usize) -> bool, stops: bool) -> Option<Outcome> {
        while let Some(current) = self.running.pop().or_else(|| self.start()) {
            if !ready(current) {
                self.running.push(current);
                return None;
            }
            self.end(current);
            if stops && !self.failures.is_empty() {
                break;
            }
        }
        Some(self.outcome())
    }

    fn poll_at_once(&mut self, mut ready: impl FnMut(usize) -> bool, stops: bool) -> Option<Outcome> {
        for handler in std::mem::take(&mut self.running) {
            self.go_on(handler, &mut ready);
        }
        while let Some(handler) = self.start() {
            self.go_on(handler, &mut ready);
        }
        let stopped = stops && !self.failures.is_empty();
        (stopped || self.running.is_empty()).then(|| self.outcome())
    }

    fn go_on(&mut self, handler: usize, ready: &mut impl FnMut(usize) -> bool) {
        if ready(handler) { self.end(handler) } else { self.running.push(handler) }
    }

    fn outcome(&mut self) -> Outcome {
        if self.failures.is_empty() {
            return Outcome::Ok;
        }
        self.failures.sort();
        let failures = self.failures.drain(..).map(|(_, failure)| failure).collect();
        let (cancelled, not_run) = (self.running.clone(), (self.started..self.ends.len()).collect());
        self.cancel();
        Outcome::Failed(Said { failures, cancelled, not_run })
    }

    fn start(&mut self) -> Option<usize> {
        let handler = self.started;
        (handler < self.ends.len()).then(|| {
            self.started += 1;
            self.log.push(format!("{handler} starts"));
            handler
        })
    }

    fn end(&mut self, handler: usize) {
        let (ending, failure) = match self.ends[handler] {
            End::Ok => ("ends", None),
            End::Error => ("fails", Some(format!("error of {handler}"))),
            End::Panic => ("panics", Some(format!("panic of {handler}"))),
        };
        self.log.push(format!("{handler} {ending}"));
        self.failures.extend(failure.map(|failure| (handler, failure)));
    }

    fn cancel(&mut self) {
        self.log.extend(self.running.drain(..).map(|handler| format!("{handler} is dropped")));
    }
}

/// A mediator with handlers that follow `scripts`, and a publish to them that the test polls.
fn with_publish<T>(
    kind: Kind,
    way: Way,
    log: &Log,
    scripts: &[Script],
    test: impl FnOnce(&mut Stepped<'_, Result<(), PublishError>>) -> T,
) -> T {
    let builder = Mediator::builder().without_discovery();
    let builder = match (kind, way) {
        (Kind::Sequential, _) | (_, Way::OfTheCall) => builder,
        (Kind::BestEffort, _) => builder.event_publisher(BestEffortEventPublisher),
        (Kind::Group, _) => builder.event_publisher_for::<Tick>(GroupEventPublisher),
        (Kind::Join, _) => builder.event_publisher(JoinEventPublisher),
    };
    let mediator = bind_many_scripted::<Tick>(builder, log, scripts).build().unwrap();
    let publisher = mediator.publisher().downgrade();
    let boxed = || -> Box<dyn DynNotification> { Box::new(Tick::new()) };
    test(&mut match (way, kind) {
        (Way::Installed, _) => Stepped::new(mediator.publish(Tick::new())),
        (Way::ByPublisher, _) => Stepped::new(publisher.publish(Tick::new())),
        (Way::Boxed, _) => Stepped::new(mediator.publish(boxed())),
        (Way::InAList, _) => Stepped::new(mediator.publish_all(vec![boxed()])),
        (Way::OfTheCall, Kind::Sequential) => {
            Stepped::new(mediator.publish_with(&SequentialEventPublisher, Tick::new()))
        }
        (Way::OfTheCall, Kind::BestEffort) => {
            Stepped::new(mediator.publish_with(&BestEffortEventPublisher, Tick::new()))
        }
        (Way::OfTheCall, Kind::Group) => Stepped::new(mediator.publish_with(&GroupEventPublisher, boxed())),
        (Way::OfTheCall, Kind::Join) => Stepped::new(mediator.publish_with(&JoinEventPublisher, Tick::new())),
    })
}

fn outcome(polled: Poll<Result<(), PublishError>>) -> Option<Outcome> {
    match polled {
        Poll::Pending => None,
        Poll::Ready(Ok(())) => Some(Outcome::Ok),
        Poll::Ready(Err(error)) => Some(Outcome::Failed(Said::by(&error))),
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Sequential), Just(Kind::BestEffort), Just(Kind::Group), Just(Kind::Join)]
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::Installed),
        Just(Way::OfTheCall),
        Just(Way::ByPublisher),
        Just(Way::Boxed),
        Just(Way::InAList)
    ]
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![6 => Just(End::Ok), 1 => Just(End::Error), 1 => Just(End::Panic)]
}

/// Such that many handlers may come to a good end.
fn rare_ends() -> impl Strategy<Value = End> {
    prop_oneof![100 => Just(End::Ok), 1 => Just(End::Error), 1 => Just(End::Panic)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1000), failure_persistence: None, ..ProptestConfig::default() })]

    /// Every handler is pending some times, and the publish is dropped after some polls.
    #[test]
    fn handlers_that_are_polled_until_they_are_ready(
        kind in kinds(),
        way in ways(),
        handlers in prop::collection::vec((0_usize..4, ends()), 0..=6),
        polls in prop_oneof![0_usize..8, Just(100)],
    ) {
        publish_pending(kind, way, &handlers, polls)?;
    }

    /// Every handler waits at a gate. The gates open in a random order, some at the same time, and the publish is
    /// polled only if it asks for it.
    #[test]
    fn handlers_that_are_polled_only_when_they_are_woken(
        kind in kinds(),
        way in ways(),
        (handlers, opening) in gated(6),
        at_once in 1_usize..=3,
        steps in 0_usize..8,
    ) {
        publish_gated(kind, way, &handlers, &opening, at_once, steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(100), failure_persistence: None, ..ProptestConfig::default() })]

    /// The same with so many handlers that a group no longer polls all of them at each wake.
    #[test]
    fn many_handlers_that_are_polled_only_when_they_are_woken(
        way in ways(),
        (handlers, opening) in gated(many(100)),
        at_once in 1_usize..=40,
    ) {
        publish_gated(Kind::Group, way, &handlers, &opening, at_once, usize::MAX)?;
    }

    /// Some that ask to be polled again and some that come to an end soon, far more than a group polls by hand.
    #[test]
    fn many_handlers_that_are_polled_until_they_are_ready(
        way in ways(),
        handlers in prop::collection::vec((0_usize..8, rare_ends()), 0..=many(100)),
        polls in prop_oneof![0_usize..10, Just(100)],
    ) {
        publish_pending(Kind::Group, way, &handlers, polls)?;
    }
}

/// Handlers that wait at gates, and the order in which the gates open.
fn gated(most: usize) -> impl Strategy<Value = (Vec<End>, Vec<usize>)> {
    prop::collection::vec(if most > 10 { rare_ends().boxed() } else { ends().boxed() }, 1..=most).prop_flat_map(
        |handlers| {
            let opening = Just((0..handlers.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(handlers), opening)
        },
    )
}

fn publish_gated(
    kind: Kind,
    way: Way,
    handlers: &[End],
    opening: &[usize],
    at_once: usize,
    steps: usize,
) -> Result<(), TestCaseError> {
    let (mut gates, scripts): (Vec<_>, Vec<_>) = handlers
        .iter()
        .map(|&end| {
            let (open, gate) = gate();
            (Some(open), Script { wait: Wait::Gate(gate), end })
        })
        .unzip();
    let mut model = Model::new(kind, handlers.iter().copied());
    let log = Log::default();

    with_publish(kind, way, &log, &scripts, |publish| {
        let mut expected = model.poll(|_| false);
        let mut observed = outcome(publish.step());
        for opened in opening.chunks(at_once).take(steps) {
            prop_assert_eq!(&observed, &expected);
            if observed.is_some() {
                break;
            }
            // An open gate wakes whoever has just walked through it, too; that poll changes nothing.
            while publish.woken() {
                prop_assert_eq!(outcome(publish.step()), None);
            }
            for &handler in opened {
                gates[handler].take().unwrap().send(()).unwrap();
            }
            let concerned = model.running.iter().any(|handler| opened.contains(handler));
            prop_assert_eq!(publish.woken(), concerned, "asks to be polled if a running handler can go on");
            if concerned {
                expected = model.poll(|handler| gates[handler].is_none());
                observed = outcome(publish.step());
            }
        }
        prop_assert_eq!(observed, expected);
        Ok(())
    })?;
    model.cancel();
    prop_assert_eq!(log.entries(), model.log);
    Ok(())
}

fn publish_pending(kind: Kind, way: Way, handlers: &[(usize, End)], polls: usize) -> Result<(), TestCaseError> {
    let mut model = Model::new(kind, handlers.iter().map(|(_, end)| *end));
    let mut left: Vec<_> = handlers.iter().map(|(times, _)| *times).collect();
    let mut ready = |handler: usize| {
        let ready = left[handler] == 0;
        left[handler] = left[handler].saturating_sub(1);
        ready
    };
    let expected = (0..polls).find_map(|_| model.poll(&mut ready)).unwrap_or(Outcome::Cancelled);
    model.cancel();

    let log = Log::default();
    let scripts: Vec<_> = handlers.iter().map(|&(times, end)| Script { wait: Wait::Times(times), end }).collect();
    let observed = with_publish(kind, way, &log, &scripts, |publish| {
        (0..polls).find_map(|_| outcome(publish.step())).unwrap_or(Outcome::Cancelled)
    });

    prop_assert_eq!(log.entries(), model.log);
    prop_assert_eq!(observed, expected);
    Ok(())
}
