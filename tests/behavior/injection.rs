//! How handlers get what they depend on.
// Handlers take what is injected by value, whatever they do with it.
#![allow(clippy::needless_pass_by_value)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{Inject, InjectError, MediatorBuilder, Services};
use mediator_tests::Log;

#[event]
struct Tick;

#[event]
struct Tock;

/// The handlers of one module of this file.
fn module(name: &str) -> MediatorBuilder {
    let path = format!("{}::{name}", module_path!());
    Mediator::builder().discover_where(move |registration| registration.module_path() == path)
}

/// What the handlers in a module log when they hear of a [`Tick`].
fn tick(builder: MediatorBuilder) -> Vec<String> {
    let log = Log::default();
    let mediator = builder.provide(log.clone()).build().unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
    log.take()
}

mod fields {
    use super::*;

    pub(super) trait Mailer: Send + Sync {
        fn send(&self) -> &'static str;
    }

    pub(super) struct Smtp;

    impl Mailer for Smtp {
        fn send(&self) -> &'static str {
            "smtp"
        }
    }

    fn two_plus(three: u32) -> u32 {
        2 + three
    }

    #[event_handler(Tick)]
    struct Named {
        mailer: Arc<dyn Mailer>,
        generic: Result<Vec<u64>, ()>,
        function: fn(u8) -> u8,
        tuple: (u8, i8),
        text: &'static str,
        #[inject(default)]
        count: AtomicUsize,
        #[inject(with = two_plus(3))]
        five: u32,
        #[inject(with = "made here".to_owned())]
        made: String,
        log: Log,
    }

    impl EventHandler<Tick> for Named {
        async fn handle(&self, _event: &Tick) {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            self.log.add(format!(
                "{} {:?} {} {:?} {} {count} {} {}",
                self.mailer.send(),
                self.generic,
                (self.function)(1),
                self.tuple,
                self.text,
                self.five,
                self.made
            ));
        }
    }

    #[event_handler(Tick)]
    struct Tuple(Log, #[inject(with = 7)] u64, #[inject(default)] Vec<u8>);

    impl EventHandler<Tick> for Tuple {
        async fn handle(&self, _event: &Tick) {
            self.0.add(format!("{} {:?}", self.1, self.2));
        }
    }

    #[event_handler(Tick)]
    #[derive(Clone, Copy)]
    struct Unit;

    impl EventHandler<Tick> for Unit {
        async fn handle(&self, _event: &Tick) {}
    }
}

#[test]
fn fields_of_every_kind_are_filled_by_exact_type_by_default_or_by_an_expression() {
    let log = tick(
        module("fields")
            .provide(Arc::new(fields::Smtp) as Arc<dyn fields::Mailer>)
            .provide(Ok::<_, ()>(vec![1_u64, 2]))
            .provide((|number| number + 1) as fn(u8) -> u8)
            .provide((1_u8, -1_i8))
            .provide("text"),
    );
    assert_eq!(log, ["smtp Ok([1, 2]) 2 (1, -1) text 0 5 made here", "7 []"]);
}

#[test]
fn a_service_is_found_by_its_exact_type_only() {
    let error = module("fields")
        .provide(Log::default())
        // Not as an `Arc<dyn Mailer>`, not with `u64`, …
        .provide(Arc::new(fields::Smtp))
        .provide(Ok::<_, ()>(vec![1_u32]))
        .provide((|number| number + 1) as fn(u16) -> u16)
        .provide((1_i8, 1_u8))
        .provide("text".to_owned())
        .build()
        .unwrap_err();
    assert_eq!(error.problems().len(), 5, "{error}");
}

#[allow(unused_qualifications, reason = "an `Option` may be written with its path")]
mod optional {
    use super::*;

    pub(super) struct Clock;

    #[event_handler(Tick)]
    struct Fields {
        clock: Option<Arc<Clock>>,
        number: std::option::Option<u32>,
        #[inject(with = Some('x'))]
        letter: Option<char>,
        #[inject(default)]
        text: Option<String>,
        log: Log,
    }

    impl EventHandler<Tick> for Fields {
        async fn handle(&self, _event: &Tick) {
            let Self { clock, number, letter, text, log } = self;
            log.add(format!("{} {number:?} {letter:?} {text:?}", clock.is_some()));
        }
    }

    #[derive(Inject)]
    struct Generic<T>(Option<T>, Log);

    impl<T: Copy + Send + Sync + std::fmt::Debug + 'static> EventHandler<Tock> for Generic<T> {
        async fn handle(&self, _event: &Tock) {
            self.1.add(format!("{:?}", self.0));
        }
    }

    pub(super) fn generic(builder: MediatorBuilder) -> MediatorBuilder {
        builder.bind::<Tock, Generic<u8>>().bind::<Tock, Generic<u32>>()
    }
}

#[test]
fn an_optional_field_is_none_if_nobody_provides_its_type() {
    assert_eq!(tick(module("optional")), ["false None Some('x') None"]);
}

#[test]
fn an_optional_field_is_filled_with_what_is_provided() {
    let builder = module("optional").provide(Arc::new(optional::Clock)).provide(7_u32);
    assert_eq!(tick(builder), ["true Some(7) Some('x') None"]);
}

#[test]
fn an_option_that_is_provided_itself_comes_first() {
    assert_eq!(tick(module("optional").provide(7_u32).provide(None::<u32>)), ["false None Some('x') None"]);
    assert_eq!(tick(module("optional").provide(7_u32).provide(Some(8_u32))), ["false Some(8) Some('x') None"]);
}

#[test]
fn an_optional_field_may_be_of_a_generic_type() {
    let log = Log::default();
    let builder = optional::generic(Mediator::builder().without_discovery());
    let mediator = builder.provide(log.clone()).provide(7_u32).build().unwrap();
    block_on(mediator.publish(Tock::new())).unwrap();
    assert_eq!(log.take(), ["None", "Some(7)"]);
}

mod panicking {
    use super::*;

    #[event_handler(Tick)]
    struct Field {
        #[inject(with = std::env::var("NOT_SET_ANYWHERE").expect("NOT_SET_ANYWHERE must be set"))]
        _url: String,
        _missing: Arc<u8>,
    }

    impl EventHandler<Tick> for Field {
        async fn handle(&self, _event: &Tick) {}
    }

    fn limit() -> u8 {
        panic!("a limit that makes no sense")
    }

    #[event_handler(Tick)]
    struct Another(#[inject(with = limit())] u8);

    impl EventHandler<Tick> for Another {
        async fn handle(&self, _event: &Tick) {
            println!("{}", self.0);
        }
    }
}

#[test]
fn an_expression_that_panics_is_a_problem_of_the_build() {
    let error = module("panicking").provide(Arc::new(1_u8)).build().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    let text = error.to_string();
    assert!(text.contains("panicking::Field` (") && text.contains("NOT_SET_ANYWHERE must be set"), "{text}");
    assert!(text.contains("panicking::Another` (") && text.contains("a limit that makes no sense"), "{text}");
}

mod named_like_the_macros {
    use super::*;

    /// With fields that are called as locals of the macro might be.
    #[event_handler(Tick)]
    struct Named {
        services: u8,
        __services: u16,
        field_0: u32,
        #[inject(with = 7)]
        __field_0: u64,
        __field_1: Log,
    }

    impl EventHandler<Tick> for Named {
        async fn handle(&self, _event: &Tick) {
            let Self { services, __services, field_0, __field_0, __field_1 } = self;
            __field_1.add(format!("{services} {__services} {field_0} {__field_0}"));
        }
    }
}

#[test]
fn fields_may_be_called_what_they_like() {
    let builder = module("named_like_the_macros").provide(1_u8).provide(2_u16).provide(3_u32);
    assert_eq!(tick(builder), ["1 2 3 7"]);
}

mod parameters {
    use super::*;

    #[event_handler]
    async fn asynchronous(_event: &Tick, log: Log, number: u32, mut text: String) -> Result<(), std::fmt::Error> {
        text.push_str(" changed");
        log.add(format!("{number} {text}"));
        Ok(())
    }

    #[event_handler]
    fn plain(_event: &Tick, log: Log, (one, two): (u8, u8), #[inject(with = 'x')] letter: char, _: u32) {
        log.add(format!("{one} {two} {letter}"));
    }

    #[event_handler]
    fn future(_event: &Tick, log: Log, #[inject(default)] calls: Arc<AtomicUsize>) {
        log.add(format!("call {}", calls.fetch_add(1, Ordering::Relaxed)));
    }
}

#[test]
fn parameters_behind_the_event_are_injected_anew_for_each_call() {
    let log = Log::default();
    let mediator = module("parameters")
        .provide(log.clone())
        .provide(42_u32)
        .provide("text".to_owned())
        .provide((1_u8, 2_u8))
        .build()
        .unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
    assert_eq!(log.take(), ["42 text changed", "1 2 x", "call 0"]);
    // A clone of the same `Arc` each time, and of the text as it was.
    block_on(mediator.publish(Tick::new())).unwrap();
    assert_eq!(log.take(), ["42 text changed", "1 2 x", "call 1"]);
}

mod parameters_alike {
    use super::*;

    #[event_handler]
    fn first(_event: &Tick, log: Log, url: String) {
        log.add(url);
    }

    #[event_handler]
    fn second(_event: &Tick, log: Log, host: String) {
        log.add(host);
    }
}

#[test]
fn functions_with_parameters_of_the_same_types_are_told_apart() {
    let error = module("parameters_alike").provide(Log::default()).build().unwrap_err().to_string();
    assert!(error.contains("first` (") && error.contains("needs `alloc::string::String` for `url`"), "{error}");
    assert!(error.contains("second` (") && error.contains("needs `alloc::string::String` for `host`"), "{error}");
    let log = Log::default();
    let mediator = module("parameters_alike").provide(log.clone()).provide("text".to_owned()).build().unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
    assert_eq!(log.take(), ["text", "text"]);
}

mod impl_blocks {
    use super::*;

    #[derive(Inject)]
    struct Derived {
        log: Log,
        #[inject(with = 1)]
        one: u8,
    }

    #[event_handler]
    impl EventHandler<Tick> for Derived {
        async fn handle(&self, _event: &Tick) {
            self.log.add(format!("derived {}", self.one));
        }
    }

    struct ByHand(Log);

    impl Inject for ByHand {
        fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
            let log: Log = services.get()?;
            log.add("injecting");
            Ok(Self(log))
        }
    }

    #[event_handler]
    impl EventHandler<Tick> for ByHand {
        async fn handle(&self, _event: &Tick) {
            self.0.add("by hand");
        }
    }

    #[event_handler]
    impl EventHandler<Tock> for ByHand {
        async fn handle(&self, _event: &Tock) {}
    }
}

#[test]
fn handlers_of_impl_blocks_are_injected_by_derive_or_by_hand_once_for_all_events() {
    assert_eq!(tick(module("impl_blocks")), ["injecting", "derived 1", "by hand"]);
}

mod own_handles {
    use super::*;

    #[event_handler]
    async fn passes_on(_event: &Tick, mediator: Mediator, publisher: Publisher) -> Result<(), PublishError> {
        mediator.publish(Tock::new()).await?;
        publisher.publish(Tock::new()).await
    }

    #[event_handler]
    fn hears(_event: &Tock, log: Log) {
        log.add("tock");
    }
}

#[test]
fn the_mediators_own_handles_are_there_without_being_provided() {
    assert_eq!(tick(module("own_handles")), ["tock", "tock"]);
}

/// Counts how often it is cloned.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

mod clones {
    use super::*;

    #[event_handler(Tick, Tock)]
    struct One {
        _counted: Counted,
    }

    impl EventHandler<Tick> for One {
        async fn handle(&self, _event: &Tick) {}
    }

    impl EventHandler<Tock> for One {
        async fn handle(&self, _event: &Tock) {}
    }

    #[event_handler(Tick)]
    struct Another {
        _counted: Counted,
        _again: Counted,
    }

    impl EventHandler<Tick> for Another {
        async fn handle(&self, _event: &Tick) {}
    }
}

#[test]
fn a_service_is_cloned_once_for_each_field_however_many_events_and_publishes_there_are() {
    let clones = Arc::new(AtomicUsize::new(0));
    let mediator = module("clones").provide(Counted(clones.clone())).build().unwrap();
    block_on(mediator.publish(Tick::new())).unwrap();
    block_on(mediator.publish(Tock::new())).unwrap();
    assert_eq!(clones.load(Ordering::Relaxed), 3);
}

#[test]
fn services_can_be_asked_for_by_name_and_tell_what_is_missing() {
    struct Asks;

    impl Inject for Asks {
        fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
            assert!(format!("{services:?}").contains("alloc::string::String"), "{services:?}");
            assert_eq!(services.get_for::<String>("url")?, "smtp://");
            let missing = services.get_for::<u8>("port").unwrap_err();
            assert_eq!(missing.to_string(), "no service of type `u8` was provided");
            Err(missing)
        }
    }

    impl EventHandler<Tick> for Asks {
        async fn handle(&self, _event: &Tick) {}
    }

    let builder = Mediator::builder().without_discovery().provide("smtp://".to_owned()).bind::<Tick, Asks>();
    let error = builder.build().unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(error.to_string().contains("Asks` (") && error.to_string().contains("needs `u8` for `port`"), "{error}");
}
