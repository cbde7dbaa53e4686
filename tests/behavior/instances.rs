//! One instance of a handler type serves all of its registrations, unless names tell several apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder};
use mediator_tests::Log;

#[derive(Notification)]
struct Placed;

#[derive(Notification)]
struct Shipped;

/// Registered for `Placed` at link time.
#[event_handler(Placed)]
#[derive(Default)]
struct Count {
    #[inject(default)]
    seen: AtomicUsize,
}

impl EventHandler<Placed> for Count {
    async fn handle(&self, _event: &Placed) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }
}

impl EventHandler<Shipped> for Count {
    async fn handle(&self, _event: &Shipped) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }
}

/// With the handlers of this module alone.
fn builder() -> MediatorBuilder {
    Mediator::builder().discover_where(|registration| registration.module_path() == module_path!())
}

fn seen_of_two(mediator: &Mediator, count: &Count) -> usize {
    block_on(mediator.publish(Placed)).unwrap();
    block_on(mediator.publish(Shipped)).unwrap();
    count.seen.load(Ordering::Relaxed)
}

#[test]
fn a_bound_arc_is_the_instance_of_the_discovered_handler_too() {
    let count = Arc::new(Count::default());
    let mediator = builder().bind_handler::<Shipped, _>(count.clone()).build().unwrap();
    assert_eq!(seen_of_two(&mediator, &count), 2);
}

#[test]
fn an_arc_in_an_arc_is_the_handler_inside() {
    let count = Arc::new(Count::default());
    let mediator = builder().bind_handler::<Shipped, _>(Arc::new(count.clone())).build().unwrap();
    assert_eq!(seen_of_two(&mediator, &count), 2);
}

#[test]
fn clones_of_one_arc_are_one_instance() {
    let count = Arc::new(Count::default());
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<Placed, _>(count.clone())
        .bind_handler::<Shipped, _>(count.clone())
        .build()
        .unwrap();
    assert_eq!(seen_of_two(&mediator, &count), 2);
}

#[test]
fn two_instances_of_one_type_are_an_error_that_names_both_places() {
    let error = Mediator::builder()
        .without_discovery()
        .bind_handler::<Placed, _>(Count::default())
        .bind_handler::<Shipped, _>(Count::default())
        .build()
        .unwrap_err();
    let [BuildProblem::DuplicateInstance { first, second, .. }] = error.problems() else { panic!("{error}") };
    assert_eq!(first.location().line() + 1, second.location().line());
    assert!(error.to_string().contains(".bind_handler_named("), "{error}");
}

#[test]
fn an_arc_and_a_value_of_one_type_for_one_event_are_one_handler_bound_twice() {
    let error = Mediator::builder()
        .without_discovery()
        .bind_handler::<Placed, _>(Arc::new(Count::default()))
        .bind_handler::<Placed, _>(Count::default())
        .build()
        .unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandler { .. }]), "{error}");
    assert!(error.to_string().contains(".bind_handler_named("), "{error}");
}

#[test]
fn a_provided_arc_that_is_bound_too_is_one_instance() {
    let count = Arc::new(Count::default());
    let mediator = builder().provide(count.clone()).bind_handler::<Shipped, _>(count.clone()).build().unwrap();
    assert_eq!(seen_of_two(&mediator, &count), 2);
}

#[test]
fn another_instance_that_is_provided_is_an_error_that_names_both_places() {
    let count = Arc::new(Count::default());
    let error = Mediator::builder()
        .without_discovery()
        .bind_handler::<Placed, _>(Count::default())
        .provide(count.clone())
        .build()
        .unwrap_err();
    let [BuildProblem::ProvidedInstance { handler, provided_at, .. }] = error.problems() else { panic!("{error}") };
    assert_eq!(handler.location().line() + 1, provided_at.line());
    assert!(error.to_string().contains("bind a clone of that `Arc`"), "{error}");

    let named = Mediator::builder().without_discovery().provide(count);
    named.bind_handler_named::<Placed, _>("another", Count::default()).build().unwrap();
}

struct Hook {
    url: &'static str,
    log: Log,
}

impl EventHandler<Placed> for Hook {
    async fn handle(&self, _event: &Placed) -> Result<(), String> {
        self.log.add(self.url);
        if self.url == "c" { Err("unreachable".to_owned()) } else { Ok(()) }
    }
}

fn hooks(names: [&'static str; 3], log: &Log) -> Result<Mediator, BuildError> {
    let urls = ["a", "b", "c"];
    let hook = |index: usize| Hook { url: urls[index], log: log.clone() };
    let builder = Mediator::builder().without_discovery();
    let bind =
        |builder: MediatorBuilder, index: usize| builder.bind_handler_named::<Placed, _>(names[index], hook(index));
    (0..3).fold(builder, bind).build()
}

#[test]
fn several_instances_of_one_type_handle_one_event_under_names_of_their_own() {
    let log = Log::default();
    let error = block_on(hooks(["hook a", "hook b", "hook c"], &log).unwrap().publish(Placed)).unwrap_err();
    assert_eq!(log.entries(), ["a", "b", "c"]);
    assert_eq!(error.failures()[0].handler_name(), "hook c");
}

#[derive(Inject)]
struct Sink {
    log: Log,
}

impl EventHandler<Placed> for Sink {
    async fn handle(&self, _event: &Placed) {
        self.log.add("placed");
    }
}

impl EventHandler<Shipped> for Sink {
    async fn handle(&self, _event: &Shipped) {
        self.log.add("shipped");
    }
}

#[test]
fn an_instance_with_a_name_of_its_own_does_not_stand_for_its_type() {
    let (log, own) = (Log::default(), Log::default());
    let named = |log: &Log| {
        let builder = Mediator::builder().without_discovery();
        builder.bind_handler_named::<Placed, _>("named", Sink { log: log.clone() })
    };
    let mediator = named(&own).provide(log.clone()).bind::<Placed, Sink>().bind::<Shipped, Sink>().build().unwrap();
    block_on(mediator.publish(Placed)).unwrap();
    block_on(mediator.publish(Shipped)).unwrap();
    assert_eq!((own.take(), log.take()), (vec!["placed".to_owned()], vec!["placed".to_owned(), "shipped".to_owned()]));
    let error = named(&own).bind::<Shipped, Sink>().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::MissingService { .. }]), "{error}");
}

#[test]
fn the_names_of_instances_must_differ() {
    let error = hooks(["hook", "other hook", "hook"], &Log::default()).unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandlerName { .. }]), "{error}");
}
