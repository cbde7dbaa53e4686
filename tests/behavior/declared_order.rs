//! `after` and `before`: handlers that say whom they follow.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// A mediator of the handlers in one module of this file.
fn module(name: &str) -> MediatorBuilder {
    let path = format!("{}::{name}", module_path!());
    Mediator::builder().discover_where(move |registration| registration.module_path() == path)
}

fn calls<E: Notification>(builder: MediatorBuilder, event: E) -> Vec<&'static str> {
    let log = Log::default();
    let mediator = builder.provide(log.clone()).build().unwrap();
    block_on(mediator.publish(event)).unwrap();
    let calls = log.lock().unwrap();
    calls.clone()
}

/// A handler `$handler` of `$event` that logs its name.
macro_rules! handler {
    ($handler:ident of $event:ty $(, $($option:tt)*)?) => {
        #[event_handler($event $(, $($option)*)?)]
        pub(crate) struct $handler {
            log: super::Log,
        }

        impl EventHandler<$event> for $handler {
            async fn handle(&self, _event: &$event) {
                self.log.lock().unwrap().push(stringify!($handler));
            }
        }
    };
}

mod shop {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct OrderPlaced {}

    handler!(Notify of OrderPlaced, after = [Reserve, charge]);
    handler!(Audit of OrderPlaced);
    handler!(Reserve of OrderPlaced);
    handler!(Validate of OrderPlaced, before = Reserve, order = 10);

    #[event_handler(before = Audit)]
    async fn charge(_event: &OrderPlaced, log: super::Log) {
        log.lock().unwrap().push("charge");
    }
}

#[test]
fn handlers_run_where_after_and_before_put_them() {
    let calls = calls(module("shop"), shop::OrderPlaced::new());
    assert_eq!(calls, ["charge", "Audit", "Validate", "Reserve", "Notify"]);
}

#[test]
fn the_group_strategy_starts_handlers_in_that_order() {
    let calls = calls(module("shop").event_publisher(GroupEventPublisher), shop::OrderPlaced::new());
    assert_eq!(calls, ["charge", "Audit", "Validate", "Reserve", "Notify"]);
}

#[test]
fn a_handler_that_discovery_leaves_out_is_no_mistake_of_those_that_name_it() {
    let builder = module("shop").discover_where(|handler| !handler.handler_name().ends_with("::Reserve"));
    assert_eq!(calls(builder, shop::OrderPlaced::new()), ["charge", "Notify", "Audit", "Validate"]);
}

mod unrelated {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Counted {}

    handler!(Fifth of Counted, after = Fourth);
    handler!(Stranger of Counted);
    handler!(Second of Counted, before = Third);
    handler!(Stranger2 of Counted, order = -1);
    handler!(Fourth of Counted, after = Third);
    handler!(Third of Counted);
    handler!(Stranger3 of Counted, order = 1);
    handler!(First of Counted, before = Fifth, order = -2);
}

#[test]
fn an_unrelated_handler_changes_nothing_about_the_order_of_the_others() {
    let with_strangers = |kept: u8| {
        let stranger = move |name: &str| match name.rsplit("::").next().unwrap_or_default() {
            "Stranger" => kept & 1 != 0,
            "Stranger2" => kept & 2 != 0,
            "Stranger3" => kept & 4 != 0,
            _ => true,
        };
        module("unrelated").discover_where(move |handler| stranger(handler.handler_name()))
    };
    for kept in mediator_tests::some(&[5, 0, 1, 2, 3, 4, 6, 7]) {
        let mut calls = calls(with_strangers(kept), unrelated::Counted::new());
        assert_eq!(calls.len(), 5 + kept.count_ones() as usize);
        calls.retain(|name| !name.starts_with("Stranger"));
        assert_eq!(calls, ["First", "Second", "Third", "Fourth", "Fifth"]);
    }
}

mod explicit {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Bound {}

    handler!(Early of Bound, after = Late);
    handler!(Late of Bound, after = ReadyMade);

    pub(crate) struct ReadyMade(pub(crate) super::Log);

    impl EventHandler<Bound> for ReadyMade {
        async fn handle(&self, _event: &Bound) {
            self.0.lock().unwrap().push("ReadyMade");
        }
    }
}

#[test]
fn a_handler_can_follow_one_that_is_bound_by_hand() {
    let log = Log::default();
    let builder = module("explicit").provide(log.clone());
    let mediator = builder.bind_handler::<explicit::Bound, _>(explicit::ReadyMade(log.clone())).build().unwrap();
    block_on(mediator.publish(explicit::Bound::new())).unwrap();
    assert_eq!(*log.lock().unwrap(), ["ReadyMade", "Late", "Early"]);
}

mod guests {
    use fixture_events::Journal;
    use fixture_kitchen::DinnerOrdered;
    use mediator_core::event_handler;

    #[event_handler(after = fixture_waiters::serve)]
    async fn taste(_event: &DinnerOrdered, journal: Journal) {
        journal.note("guests: taste");
    }

    #[event_handler(before = fixture_waiters::take_order, order = 3)]
    async fn sit_down(_event: &DinnerOrdered, journal: Journal) {
        journal.note("guests: sit down");
    }
}

#[test]
fn handlers_of_three_crates_are_called_in_one_order() {
    let journal = fixture_events::Journal::default();
    let event = std::any::type_name::<fixture_kitchen::DinnerOrdered>();
    let mediator = Mediator::builder()
        .discover_where(|handler| handler.event().is_some_and(|handled| handled.type_name() == event))
        .provide(journal.clone())
        .build()
        .unwrap();
    block_on(mediator.publish(fixture_kitchen::DinnerOrdered::new())).unwrap();
    assert_eq!(
        journal.lines(),
        [
            "guests: sit down",
            "waiters: take order",
            "kitchen: cook",
            "kitchen: plate",
            "waiters: serve",
            "guests: taste",
        ]
    );
}

/// What `build` says about the handlers in one module, its paths shortened.
fn error(name: &str) -> String {
    let error = module(name).provide(Log::default()).build().unwrap_err();
    error.to_string().replace(&format!("{}::{name}::", module_path!()), "")
}

mod two {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Started {}

    handler!(Hen of Started, after = Egg);
    handler!(Bystander of Started);
    handler!(Egg of Started, after = Hen);
}

#[test]
fn a_cycle_of_two_is_printed_with_every_place() {
    insta::assert_snapshot!(error("two"));
}

mod five {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Started {}

    handler!(Monday of Started, before = Tuesday);
    handler!(Tuesday of Started, before = Wednesday);
    handler!(Wednesday of Started);
    handler!(Thursday of Started, after = Wednesday, before = Friday);
    handler!(Friday of Started, before = [Monday, Saturday]);
    handler!(Saturday of Started);
}

#[test]
fn a_cycle_of_five_is_printed_without_what_only_waits_for_it() {
    insta::assert_snapshot!(error("five"));
}

mod several {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Started {}

    handler!(Narcissus of Started, after = Narcissus);
    handler!(Hen of Started, after = Egg);
    handler!(Egg of Started, after = Hen);
}

#[test]
fn all_cycles_are_reported_at_once() {
    let error = module("several").provide(Log::default()).build().unwrap_err();
    let lengths = error.problems().iter().map(|problem| match problem {
        BuildProblem::OrderCycle { steps, .. } => steps.len(),
        other => panic!("not a cycle: {other}"),
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [1, 2]);
}

mod unknown {
    use mediator_core::prelude::*;

    #[event]
    pub(crate) struct Placed {}

    #[event]
    pub(crate) struct Cancelled {}

    pub(crate) struct ReserveStok;

    handler!(SendEmail of Placed, after = ReserveStok);
    handler!(Refund of Cancelled, after = ReserveStock);
    handler!(ReserveStock of Placed);
    handler!(Audit of Placed, before = Refund);
}

#[test]
fn an_unknown_handler_is_reported_with_the_nearest_one() {
    insta::assert_snapshot!(error("unknown"));
}
