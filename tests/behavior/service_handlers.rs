//! A service of a module that is a handler as well: one instance, whoever asks for it.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder};

#[event]
struct Opened;

#[event]
struct Closed;

/// What readers have seen of a service.
type Seen = Arc<Mutex<Vec<String>>>;

trait Lines: Send + Sync {
    fn lines(&self) -> Vec<String>;
}

/// A service whose methods are handlers.
mod methods {
    use super::*;

    // Before the service itself: the order in the file does not matter.
    #[event_handlers]
    impl Log {
        fn opened(&self, _event: &Opened) {
            self.lines.lock().unwrap().push("opened".into());
        }

        #[event_handler(manual)]
        pub(super) async fn closed(&self, _event: &Closed) {
            self.lines.lock().unwrap().push("closed".into());
        }
    }

    #[service(dyn Lines)]
    #[derive(Default)]
    pub(super) struct Log {
        #[inject(default)]
        pub(super) lines: Mutex<Vec<String>>,
    }

    impl Lines for Log {
        fn lines(&self) -> Vec<String> {
            self.lines.lock().unwrap().clone()
        }
    }

    impl EventHandler<Closed> for Log {
        async fn handle(&self, _event: &Closed) {
            self.lines.lock().unwrap().push("bound".into());
        }
    }

    #[event_handler(order = 1)]
    pub(super) fn read(_event: &Opened, log: Arc<Log>, lines: Arc<dyn Lines>, seen: Seen) {
        assert_eq!(log.lines(), lines.lines());
        seen.lock().unwrap().extend(log.lines());
    }
}

/// Both attributes on one struct, and an impl block.
mod structs {
    use super::*;

    #[service]
    #[event_handler(Opened)]
    pub(super) struct Above {
        #[inject(default)]
        lines: Mutex<Vec<String>>,
    }

    impl EventHandler<Opened> for Above {
        async fn handle(&self, _event: &Opened) {
            self.lines.lock().unwrap().push("above".into());
        }
    }

    #[event_handler]
    impl EventHandler<Closed> for Above {
        async fn handle(&self, _event: &Closed) {
            self.lines.lock().unwrap().push("above closed".into());
        }
    }

    #[event_handler(dyn DynNotification)]
    #[service(dyn Lines)]
    pub(super) struct Below {
        #[inject(default)]
        lines: Mutex<Vec<String>>,
    }

    impl EventHandler<dyn DynNotification> for Below {
        async fn handle(&self, event: &dyn DynNotification) {
            self.lines.lock().unwrap().push(format!("below {}", mediator_tests::short(event.event_name())));
        }
    }

    impl Lines for Below {
        fn lines(&self) -> Vec<String> {
            self.lines.lock().unwrap().clone()
        }
    }

    #[event_handler(after = Above)]
    fn read(_event: &Closed, above: Arc<Above>, below: Arc<dyn Lines>, seen: Seen) {
        let above = above.lines.lock().unwrap().clone();
        seen.lock().unwrap().extend([above, below.lines()].concat());
    }
}

/// A service that cannot be made.
mod failing {
    use super::*;

    #[service]
    struct Broken {
        _number: i8,
    }

    #[event_handlers]
    impl Broken {
        fn opened(&self, _event: &Opened) {}
        fn closed(&self, _event: &Closed) {}
    }

    #[event_handler]
    fn asks(_event: &Opened, _broken: Arc<Broken>) {}
}

/// With what this module registers.
fn with_module(module: &'static str, seen: &Seen) -> MediatorBuilder {
    let builder = Mediator::builder().provide(seen.clone());
    builder.discover_where(move |registration| {
        registration.module_path().strip_prefix(concat!(module_path!(), "::")) == Some(module)
    })
}

fn take(seen: &Seen) -> Vec<String> {
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn methods_of_a_service_are_called_on_the_service_itself() {
    let seen = Seen::default();
    let mediator = with_module("methods", &seen).bind_fn(methods::Log::closed).build().unwrap();
    block_on(mediator.publish(Closed::new())).unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    assert_eq!(take(&seen), ["closed", "opened"]);
}

#[test]
fn a_struct_may_be_both_in_any_order_of_the_attributes() {
    let seen = Seen::default();
    let mediator = with_module("structs", &seen).build().unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    block_on(mediator.publish(Closed::new())).unwrap();
    assert_eq!(take(&seen), ["above", "above closed", "below Opened", "below Closed"]);
}

#[test]
fn what_the_builder_is_given_is_the_handler_too() {
    let (seen, log) = (Seen::default(), Arc::new(methods::Log::default()));
    let mediator = with_module("methods", &seen).provide(log.clone()).build().unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    assert_eq!(take(&seen), ["opened"]);
    assert_eq!(log.lines(), ["opened"]);
}

#[test]
fn without_discovery_a_bound_handler_is_what_the_builder_is_given() {
    let (seen, log) = (Seen::default(), Arc::new(methods::Log::default()));
    let lines: Arc<dyn Lines> = log.clone();
    let bound = Mediator::builder().without_discovery().provide(seen.clone()).provide(lines).provide(log.clone());
    let mediator = bound.bind_fn(methods::Log::closed).bind_fn(methods::read).build().unwrap();
    block_on(mediator.publish(Closed::new())).unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    assert_eq!(take(&seen), ["closed"]);
    assert_eq!(log.lines(), ["closed"]);
}

#[test]
fn a_handler_that_is_no_service_of_a_module_is_what_the_builder_is_given_as_well() {
    #[derive(Inject)]
    struct Count {
        seen: Seen,
    }

    #[event_handlers]
    impl Count {
        #[event_handler(manual)]
        fn count(&self, _event: &Opened) {
            self.seen.lock().unwrap().push("counted".into());
        }
    }

    let count = Arc::new(Count { seen: Seen::default() });
    let mediator =
        Mediator::builder().without_discovery().provide(count.clone()).bind_fn(Count::count).build().unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    assert_eq!(take(&count.seen), ["counted"]);
}

#[test]
fn a_service_that_is_bound_ready_made_is_the_one_that_others_ask_for() {
    let (seen, log) = (Seen::default(), Arc::new(methods::Log::default()));
    let mediator = with_module("methods", &seen).bind_handler::<Closed, _>(log.clone()).build().unwrap();
    block_on(mediator.publish(Closed::new())).unwrap();
    block_on(mediator.publish(Opened::new())).unwrap();
    assert_eq!(take(&seen), ["bound", "opened"]);
    assert_eq!(log.lines(), ["bound", "opened"]);
}

#[test]
fn a_service_that_cannot_be_made_is_one_problem_however_many_handlers_it_is() {
    let error = with_module("failing", &Seen::default()).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::MissingServiceOfService { .. }]), "{error}");
}

#[test]
fn the_topology_shows_that_the_handler_is_a_service() {
    let mediator = with_module("methods", &Seen::default()).build().unwrap();
    let events = mediator.topology().events();
    let opened = events.iter().find(|node| node.event().name().ends_with("service_handlers::Opened")).unwrap();
    let [uses] = opened.handlers()[0].services() else { panic!("{opened:?}") };
    assert!(uses.provided_by().unwrap().name().ends_with("methods::Log"));
}

#[test]
fn a_builder_may_be_sent_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&Mediator::builder());
}
