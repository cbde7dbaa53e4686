//! Methods as handlers: each one of its own, all on one instance.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder};
use mediator_tests::{Log, names, pending};

#[event]
struct Opened {
    id: u32,
}

#[event]
struct Closed;

struct Journal(Vec<String>);

#[derive(Inject)]
struct Triage {
    log: Log,
    #[inject(default)]
    seen: AtomicUsize,
}

#[event_handlers]
impl Triage {
    async fn opened(&self, event: &Opened) {
        pending(1).await;
        self.note(format!("opened {}", event.id));
    }

    #[event_handler(after = Triage::opened, name = "triage.again")]
    fn opened_again(&self, _event: &Opened) -> Result<(), String> {
        self.note("again".into());
        Ok(())
    }

    #[event_handler(order = -1)]
    async fn closed(&self, _event: &Closed, journal: &mut Journal, limit: Option<&u32>) -> Result<(), String> {
        journal.0.push(format!("closed after {}", self.seen.load(Ordering::Relaxed)));
        pending(1).await;
        limit.map_or(Ok(()), |limit| Err(format!("limit {limit}")))
    }

    #[event_handler(manual)]
    fn reopened(&self, _event: &Closed) {
        self.note("reopened".into());
    }
}

impl Triage {
    fn note(&self, text: String) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.log.add(text);
    }
}

/// With the handlers of this module alone.
fn builder(log: &Log) -> MediatorBuilder {
    let builder = Mediator::builder().provide(log.clone());
    builder.discover_where(|registration| registration.module_path() == module_path!())
}

#[test]
fn all_methods_share_one_instance_and_borrow_like_functions() {
    let log = Log::default();
    let mediator = builder(&log).build().unwrap();
    let mut journal = Journal(Vec::new());
    block_on(mediator.publish(Opened::new(7))).unwrap();
    block_on(mediator.with(&mut journal).publish(Closed::new())).unwrap();
    assert_eq!(log.entries(), ["opened 7", "again"]);
    assert_eq!(journal.0, ["closed after 2"]);
    let error = block_on(mediator.with(&mut journal).with(&3_u32).publish(Closed::new())).unwrap_err();
    assert_eq!(error.failures()[0].error().unwrap().to_string(), "limit 3");
}

#[test]
fn each_method_has_a_place_of_its_own() {
    let of_this_file =
        |line: &str| include_str!("methods.rs").lines().position(|it| it.trim().starts_with(line)).unwrap() + 1;
    let builder =
        Mediator::builder().discover_where(|registration| registration.handler_name().contains("Triage::opened"));
    let mediator = builder.provide(Log::default()).build().unwrap();
    let topology = mediator.topology();
    let event = topology.events().iter().find(|event| event.event().name().ends_with("methods::Opened")).unwrap();
    let place = event.handlers()[0].handler().location();
    assert_eq!(place.line() as usize, of_this_file("async fn opened(&self"));
}

#[test]
fn each_method_has_a_name_and_options_of_its_own() {
    let mediator = builder(&Log::default()).build().unwrap();
    let handlers = |event: &str| {
        let node = mediator.topology().events().iter().find(|node| node.event().name().ends_with(event)).unwrap();
        node.handlers().iter().map(|handler| *handler.handler()).collect::<Vec<_>>()
    };
    assert!(handlers("methods::Opened")[0].name().ends_with("::methods::Triage::opened"));
    assert_eq!(names(&handlers("methods::Opened")), ["opened", "triage.again"]);
    // What is `manual` is not discovered.
    assert_eq!(names(&handlers("methods::Closed")), ["closed"]);
}

#[test]
fn methods_can_be_bound_and_share_the_instance_then_too() {
    let log = Log::default();
    let bound = Mediator::builder().without_discovery().provide(log.clone());
    let mediator = bound.bind_fn(Triage::opened).bind_fn(Triage::closed).bind_fn(Triage::reopened).build().unwrap();
    let mut journal = Journal(Vec::new());
    block_on(mediator.publish(Opened::new(1))).unwrap();
    block_on(mediator.with(&mut journal).publish(Closed::new())).unwrap();
    assert_eq!(log.entries(), ["opened 1", "reopened"]);
    assert_eq!(journal.0, ["closed after 1"]);
}

#[test]
fn a_function_that_is_no_handler_cannot_be_bound() {
    fn stranger(_event: &Opened) {}

    let error = Mediator::builder().without_discovery().bind_fn(stranger).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::UnknownFunction { .. }]), "{error}");
    assert!(error.to_string().contains("::stranger` is bound at tests/behavior/methods.rs:"), "{error}");
    stranger(&Opened::new(1));
}

#[test]
fn a_method_that_is_bound_twice_is_one_handler_too_many() {
    let twice = Mediator::builder().without_discovery().provide(Log::default());
    let error = twice.bind_fn(Triage::opened).bind_fn(Triage::opened).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandler { .. }]), "{error}");
}

/// Whose options say `Self`.
mod steps {
    use super::*;

    #[derive(Inject)]
    struct Steps<const LAST: i32>(Log);

    impl<const LAST: i32> Steps<LAST> {
        const FIRST: i32 = -LAST;
    }

    #[event_handlers]
    impl Steps<9> {
        #[event_handler(after = Self::three)]
        fn four(&self, _event: &Closed) {
            self.0.add("four");
        }

        fn three(&self, _event: &Closed) {
            self.0.add("three");
        }

        #[event_handler(before = [Self::three, Self::four])]
        fn two(&self, _event: &Closed) {
            self.0.add("two");
        }

        #[event_handler(order = Self::FIRST)]
        fn one(&self, _event: &Closed) {
            self.0.add("one");
        }
    }

    #[event_handler(Closed, order = Self::LAST)]
    struct Five(Log);

    impl Five {
        const LAST: i32 = i32::MAX;
    }

    impl EventHandler<Closed> for Five {
        async fn handle(&self, _event: &Closed) {
            self.0.add("five");
        }
    }

    #[derive(Inject)]
    struct Zero(Log);

    #[event_handler(order = Self::ZEROTH, before = Five)]
    impl EventHandler<Closed> for Zero {
        async fn handle(&self, _event: &Closed) {
            self.0.add("zero");
        }
    }

    impl Zero {
        const ZEROTH: i32 = i32::MIN;
    }
}

#[test]
fn options_may_say_self() {
    let log = Log::default();
    let builder = Mediator::builder().provide(log.clone());
    let steps = builder.discover_where(|it| it.module_path() == concat!(module_path!(), "::steps"));
    block_on(steps.build().unwrap().publish(Closed::new())).unwrap();
    assert_eq!(log.entries(), ["zero", "one", "two", "three", "four", "five"]);
}

mod backwards {
    use super::{Arc, Mutex, Opened};
    use mediator_core::{Inject, event_handlers};

    #[derive(Inject)]
    struct Backwards {
        seen: Arc<Mutex<Vec<&'static str>>>,
    }

    #[event_handlers]
    impl Backwards {
        fn third(&self, _event: &Opened) {
            self.seen.lock().unwrap().push("third");
        }

        fn second(&self, _event: &Opened) {
            self.seen.lock().unwrap().push("second");
        }

        fn first(&self, _event: &Opened) {
            self.seen.lock().unwrap().push("first");
        }
    }
}

#[test]
fn methods_of_a_block_are_called_as_they_are_written() {
    let seen: Arc<Mutex<Vec<&str>>> = Arc::default();
    let mediator = Mediator::builder()
        .discover_where(|handler| handler.module_path().ends_with("::backwards"))
        .provide(seen.clone())
        .build()
        .unwrap();
    block_on(mediator.publish(Opened::new(1))).unwrap();
    assert_eq!(*seen.lock().unwrap(), ["third", "second", "first"]);
}
