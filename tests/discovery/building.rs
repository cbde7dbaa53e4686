//! What `build` finds, and what it makes of it.
#![allow(missing_docs)]

use std::error::Error;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, Inject, InjectError, MediatorBuilder, Services};
use mediator_tests::{Log, On, place, short};

trait Mailer: Send + Sync {}

#[derive(Clone)]
struct Clock;

#[derive(Clone)]
struct Url(&'static str);

mod broken {
    use mediator_core::prelude::*;
    use std::sync::Arc;

    use super::{Clock, Mailer, Url};

    #[event]
    pub(crate) struct OrderPlaced;

    #[event]
    pub(crate) struct OrderShipped;

    pub(crate) const SEND_EMAIL: u32 = line!() + 2;

    #[event_handler(OrderPlaced, OrderShipped)]
    struct SendEmail {
        _mailer: Arc<dyn Mailer>,
        _url: Url,
        #[inject(default)]
        _sent: Vec<u32>,
        _clock: Clock,
    }

    impl EventHandler<OrderPlaced> for SendEmail {
        async fn handle(&self, _event: &OrderPlaced) {}
    }

    impl EventHandler<OrderShipped> for SendEmail {
        async fn handle(&self, _event: &OrderShipped) {}
    }

    pub(crate) const UPDATE_STATS: u32 = line!() + 2;

    #[event_handler(order = 1)]
    async fn update_stats(_event: &OrderPlaced, _counters: Arc<Vec<u64>>, _publisher: Publisher) {}
}

fn broken() -> MediatorBuilder {
    Mediator::builder().discover_where(|registration| registration.module_path() == "building::broken")
}

/// `(handler, line, field, service)` of each missing service.
fn missing(error: &BuildError) -> Vec<(&str, u32, Option<&str>, &str)> {
    let missing = error.problems().iter().map(|problem| match problem {
        BuildProblem::MissingService { handler, field, service, .. } => {
            (short(handler.name()), place(handler.location()).1, *field, *service)
        }
        other => panic!("not a missing service: {other}"),
    });
    missing.collect()
}

#[test]
fn every_missing_service_is_listed_with_handler_place_field_and_type() {
    let error = broken().provide(Clock).build().unwrap_err();
    assert_eq!(
        missing(&error),
        [
            ("SendEmail", broken::SEND_EMAIL, Some("_mailer"), "alloc::sync::Arc<dyn building::Mailer>"),
            ("SendEmail", broken::SEND_EMAIL, Some("_url"), "building::Url"),
            ("update_stats", broken::UPDATE_STATS, Some("_counters"), "alloc::sync::Arc<alloc::vec::Vec<u64>>"),
        ]
    );
    let text = error.to_string();
    for line in [
        "the mediator cannot be built, there are 3 problems:",
        "building.rs:",
        "- handler `building::broken::SendEmail` (",
        ") needs `building::Url` for `_url`, which was not provided; \
         add `.provide(…)` with a value of exactly this type",
    ] {
        assert!(text.contains(line), "`{line}` is missing in\n{text}");
    }
}

#[test]
fn what_is_wrong_in_other_ways_is_listed_beside_it() {
    struct Choosy;

    impl Inject for Choosy {
        fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
            // Asks for something that is missing and gets along without it, or so it thinks.
            let _ = services.get::<u128>();
            let Url(url) = services.get()?;
            Err(InjectError::new(format!("`{url}` is no url")))
        }
    }

    impl EventHandler<broken::OrderPlaced> for Choosy {
        async fn handle(&self, _event: &broken::OrderPlaced) {}
    }

    impl EventHandler<broken::OrderShipped> for Choosy {
        async fn handle(&self, _event: &broken::OrderShipped) {}
    }

    let second_clock = line!() + 4;
    let error = broken()
        .provide(Url("nonsense"))
        .provide(Clock)
        .provide(Clock)
        .bind::<broken::OrderPlaced, Choosy>()
        .bind::<broken::OrderShipped, Choosy>()
        .bind::<broken::OrderPlaced, Choosy>()
        .build()
        .unwrap_err();

    let mut kinds = Vec::new();
    for problem in error.problems() {
        match problem {
            BuildProblem::DuplicateService { service, first, second, .. } => {
                assert_eq!(*service, "building::Clock");
                assert_eq!((place(first).1, place(second).1), (second_clock - 1, second_clock));
                kinds.push("duplicate service");
            }
            BuildProblem::DuplicateHandler { event_name, first, second, .. } => {
                assert_eq!(*event_name, "building::broken::OrderPlaced");
                let lines = [first, second].map(|handler| place(handler.location()).1);
                assert_eq!(lines, [second_clock + 1, second_clock + 3]);
                kinds.push("duplicate handler");
            }
            BuildProblem::MissingService { handler, field, service, .. } => match short(handler.name()) {
                "Choosy" => {
                    assert_eq!((*field, *service), (None, "u128"));
                    kinds.push("missing of Choosy");
                }
                _ => kinds.push("missing"),
            },
            BuildProblem::Handler { handler, error, .. } => {
                assert_eq!(short(handler.name()), "Choosy");
                assert_eq!(error.to_string(), "`nonsense` is no url");
                kinds.push("handler");
            }
            other => panic!("unexpected: {other}"),
        }
    }
    assert_eq!(kinds, ["duplicate service", "duplicate handler", "missing", "missing", "missing of Choosy", "handler"]);
    // The text of the handler's own error is part of the message.
    assert!(error.to_string().contains("`nonsense` is no url") && error.source().is_none());
    assert_eq!(error.to_string().lines().count(), 1 + kinds.len() + 1);
    assert!(error.to_string().lines().last().unwrap().starts_with("provided are `"), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn a_handler_registered_twice_for_one_event_is_an_error_that_names_both_places() {
    #[derive(Inject)]
    struct Audit;

    impl EventHandler<broken::OrderPlaced> for Audit {
        async fn handle(&self, _event: &broken::OrderPlaced) {}
    }

    let first_bind = line!() + 3;
    let error = Mediator::builder()
        .without_discovery()
        .bind::<broken::OrderPlaced, Audit>()
        .bind_handler::<broken::OrderPlaced, _>(Audit)
        .build()
        .unwrap_err();
    let [problem @ BuildProblem::DuplicateHandler { first, second, .. }] = error.problems() else {
        panic!("one duplicate, not {error}")
    };
    assert_eq!(place(first.location()), ("building.rs", first_bind));
    assert_eq!(place(second.location()), ("building.rs", first_bind + 1));
    let text = problem.to_string();
    let at = |location: &Location<'_>| format!("{}:{}:", location.file(), location.line());
    assert!(text.contains(&at(first.location())) && text.contains(&at(second.location())), "{text}");
    assert!(error.to_string().starts_with("the mediator cannot be built, there is 1 problem:\n- "), "{error}");
}

mod twice {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Ping;

    #[event_handler(Ping)]
    pub(crate) struct Pong;

    #[event_handler]
    impl EventHandler<Ping> for Pong {
        async fn handle(&self, _event: &Ping) {}
    }
}

#[test]
fn a_struct_and_its_impl_block_must_not_both_register_it() {
    let builder = || Mediator::builder().discover_where(|registration| registration.module_path() == "building::twice");
    let error = builder().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandler { .. }]), "{error}");
    // Nor may it be discovered and bound.
    let error = builder().bind::<twice::Ping, twice::Pong>().build().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn an_arc_of_a_handler_is_that_handler() {
    struct Quiet;

    impl EventHandler<discovered::Counted> for Quiet {
        async fn handle(&self, _event: &discovered::Counted) {}
    }

    let builder = Mediator::builder().without_discovery().bind_handler::<discovered::Counted, _>(Quiet);
    let error = builder.bind_handler::<discovered::Counted, _>(Arc::new(Quiet)).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandler { .. }]), "{error}");
}

#[test]
fn a_service_that_the_mediator_provides_itself_cannot_be_provided() {
    let other = Mediator::builder().without_discovery().build().unwrap();
    let error = Mediator::builder().without_discovery().provide(other.publisher()).provide(other).build().unwrap_err();
    let services = error.problems().iter().map(|problem| match problem {
        BuildProblem::ProvidedHandle { service, location, .. } => (*service, place(location).0),
        other => panic!("unexpected: {other}"),
    });
    assert_eq!(
        services.collect::<Vec<_>>(),
        [
            ("mediator_core::mediator::handles::Publisher", "building.rs"),
            ("mediator_core::mediator::handles::Mediator", "building.rs")
        ]
    );
}

mod discovered {
    use mediator_core::prelude::*;
    use mediator_tests::Log;

    #[event]
    pub(crate) struct Counted;

    #[event_handler(order = 2147483647)]
    async fn last_of_all(_event: &Counted, log: Log) {
        log.add("discovered");
    }
}

fn logs(log: &Log, entry: &'static str) -> impl Fn() + Clone + Send + Sync + 'static {
    let log = log.clone();
    move || log.add(entry)
}

#[test]
fn explicit_binds_follow_the_discovered_handlers_in_the_order_of_the_calls() {
    let log = Log::default();
    let (second, first) = (logs(&log, "bound second"), logs(&log, "bound first"));
    let mediator = Mediator::builder()
        .discover_where(|registration| registration.module_path() == "building::discovered")
        .bind_handler::<discovered::Counted, _>(On(move |_: &discovered::Counted| {
            first();
            async {}
        }))
        .bind_handler::<discovered::Counted, _>(On(move |_: &discovered::Counted| {
            second();
            async {}
        }))
        .provide(log.clone())
        .build()
        .unwrap();
    block_on(mediator.publish(discovered::Counted::new())).unwrap();
    assert_eq!(log.take(), ["discovered", "bound first", "bound second"]);
}

#[test]
fn a_ready_made_handler_in_an_arc_can_be_looked_into() {
    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl EventHandler<discovered::Counted> for Counter {
        async fn handle(&self, _event: &discovered::Counted) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let counter = Arc::new(Counter::default());
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<discovered::Counted, _>(counter.clone())
        .build()
        .unwrap();
    block_on(mediator.publish(discovered::Counted::new())).unwrap();
    block_on(mediator.publish(discovered::Counted::new())).unwrap();
    assert_eq!(counter.0.load(Ordering::Relaxed), 2);
}

#[test]
fn a_ready_made_instance_serves_the_events_its_type_is_bound_to_as_well() {
    #[derive(Clone)]
    struct Named(&'static str, Log);

    impl Inject for Named {
        fn inject(_services: &Services<'_>) -> Result<Self, InjectError> {
            unreachable!("there is an instance already")
        }
    }

    impl EventHandler<broken::OrderPlaced> for Named {
        async fn handle(&self, _event: &broken::OrderPlaced) {
            self.1.add(format!("{} placed", self.0));
        }
    }

    impl EventHandler<broken::OrderShipped> for Named {
        async fn handle(&self, _event: &broken::OrderShipped) {
            self.1.add(format!("{} shipped", self.0));
        }
    }

    let log = Log::default();
    let mediator = Mediator::builder()
        .without_discovery()
        .bind::<broken::OrderShipped, Named>()
        .bind_handler::<broken::OrderPlaced, _>(Named("ready-made", log.clone()))
        .build()
        .unwrap();
    block_on(mediator.publish(broken::OrderPlaced::new())).unwrap();
    block_on(mediator.publish(broken::OrderShipped::new())).unwrap();
    assert_eq!(log.take(), ["ready-made placed", "ready-made shipped"]);
}

#[test]
fn two_mediators_have_handlers_of_their_own() {
    let (one, two) = (Log::default(), Log::default());
    let build = |log: &Log| {
        Mediator::builder()
            .discover_where(|registration| registration.module_path() == "building::discovered")
            .provide(log.clone())
            .build()
            .unwrap()
    };
    let (first, _second) = (build(&one), build(&two));
    block_on(first.publish(discovered::Counted::new())).unwrap();
    assert_eq!(one.take(), ["discovered"]);
    assert!(two.take().is_empty());
}

#[test]
fn without_discovery_only_explicit_handlers_exist() {
    // The broken handlers of this file are neither built nor missed.
    Mediator::builder().without_discovery().build().unwrap();
    assert!(Mediator::new().is_err());
}

#[test]
fn a_handler_cannot_publish_while_the_mediator_is_being_built() {
    struct Eager;

    impl Inject for Eager {
        fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
            let publisher: Publisher = services.get()?;
            block_on(publisher.publish(broken::OrderPlaced::new())).map_err(InjectError::new)?;
            Ok(Self)
        }
    }

    impl EventHandler<broken::OrderPlaced> for Eager {
        async fn handle(&self, _event: &broken::OrderPlaced) {}
    }

    let error = Mediator::builder().without_discovery().bind::<broken::OrderPlaced, Eager>().build().unwrap_err();
    let [BuildProblem::Handler { error, .. }] = error.problems() else { panic!("one problem, not {error}") };
    assert_eq!(error.downcast_ref::<PublishError>().unwrap().unpublished().len(), 1);
}
