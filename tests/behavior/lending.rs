//! What a publish lends: who gets it, who is refused, and what becomes of it.

use std::fmt;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{Deliveries, MediatorBuilder, PublishErrorKind};
use mediator_tests::{Stepped, pending};

fn bare() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// What handlers write to, alone.
#[derive(Debug, Default)]
struct Journal(Vec<String>);

/// What handlers read, together.
struct Tenant(&'static str);

trait Clock: Send + Sync {
    fn now(&self) -> u32;
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> u32 {
        12
    }
}

#[event]
struct Placed {
    order: u32,
}

#[event]
struct Reserved;

#[event_handler(manual)]
async fn write(event: &Placed, journal: &mut Journal) {
    journal.0.push(format!("order {}", event.order));
    pending(1).await;
    journal.0.push("written".into());
}

#[event_handler(manual)]
fn write_at_once(_event: &Placed, journal: &mut Journal, tenant: &Tenant) {
    journal.0.push(format!("for {}", tenant.0));
}

#[event_handler(manual)]
async fn read(_event: &Placed, journal: &Journal, clock: &dyn Clock) -> Result<(), String> {
    pending(1).await;
    if journal.0.is_empty() { Err(format!("nothing at {}", clock.now())) } else { Ok(()) }
}

#[event_handler(manual)]
async fn take_what_there_is(_event: &Placed, journal: Option<&mut Journal>, tenant: Option<&Tenant>, seen: Seen) {
    let lent = (journal.is_some(), tenant.map(|tenant| tenant.0));
    if let Some(journal) = journal {
        journal.0.push("optional".into());
    }
    seen.0.lock().unwrap().push(lent);
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Lent>>>);

/// Whether a journal was lent, and which tenant.
type Lent = (bool, Option<&'static str>);

#[test]
fn each_handler_in_turn_borrows_what_is_lent_and_injected_values_stay() {
    let mediator = bare().bind_fn(write).bind_fn(write_at_once).bind_fn(read).build().unwrap();
    let mut journal = Journal::default();
    block_on(mediator.with(&mut journal).with(&Tenant("acme")).with(&Noon as &dyn Clock).publish(Placed::new(1)))
        .unwrap();
    assert_eq!(journal.0, ["order 1", "written", "for acme"]);
}

#[test]
fn a_scope_can_be_kept_and_used_for_several_publishes_by_whoever_takes_the_handle() {
    async fn place(publisher: &Publisher, order: u32) -> Result<(), PublishError> {
        publisher.publish(Placed::new(order)).await
    }

    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    {
        let publisher = mediator.publisher();
        let scope = publisher.with(&mut journal);
        block_on(place(&scope, 1)).unwrap();
        block_on(scope.publish_all(vec![Box::new(Placed::new(2))])).unwrap();
        block_on(scope.publish_with(&SequentialEventPublisher, Placed::new(3))).unwrap();
        assert_eq!(block_on(mediator.publish(Placed::new(4))).unwrap_err().kind(), PublishErrorKind::NotLent);
    }
    assert_eq!(journal.0.iter().filter(|line| line.starts_with("order")).count(), 3);
}

#[test]
fn a_scope_can_be_made_from_the_handle_of_another_one() {
    let mediator = bare().bind_fn(write_at_once).bind_fn(read).build().unwrap();
    let (publisher, mut journal, tenant) = (mediator.publisher(), Journal::default(), Tenant("acme"));
    {
        let outer = publisher.with(&mut journal);
        let middle = Publisher::with(&outer, &tenant);
        let inner = Publisher::with(&middle, &Noon as &dyn Clock);
        for _ in 0..2 {
            block_on(inner.publish(Placed::new(1))).unwrap();
        }
        assert!(!inner.is_weak() && !Publisher::clone(&inner).is_weak() && inner.cause().is_none());
        let weak = mediator.publisher().downgrade();
        let of_weak = weak.with(&tenant);
        assert!(Publisher::with(&of_weak, &1_u8).is_weak());
    }
    assert_eq!(journal.0, ["for acme"; 2]);
}

#[test]
fn what_is_made_from_a_scope_lends_nothing() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    let scope = mediator.with(&mut journal);
    for handle in [Mediator::clone(&scope).publisher(), scope.publisher()] {
        assert!(!handle.is_weak());
        assert_eq!(block_on(handle.publish(Placed::new(1))).unwrap_err().kind(), PublishErrorKind::NotLent);
    }
}

#[test]
fn the_value_that_was_lent_last_is_borrowed() {
    let mediator = bare().bind_fn(write_at_once).build().unwrap();
    let mut journals = [Journal::default(), Journal::default()];
    let [outer, inner] = &mut journals;
    block_on(mediator.with(outer).with(&Tenant("a")).with(&Tenant("b")).with(inner).publish(Placed::new(1))).unwrap();
    assert_eq!((journals[0].0.len(), &*journals[1].0), (0, &["for b".to_owned()][..]));
}

#[test]
fn more_values_than_a_few_can_be_lent() {
    #[event_handler(manual)]
    fn sum(_event: &Placed, a: &u8, b: &u16, c: &u32, d: &u64, total: &mut u128) {
        *total = u128::from(*a) + u128::from(*b) + u128::from(*c) + u128::from(*d);
    }

    let mediator = bare().bind_fn(sum).build().unwrap();
    let mut total = 0_u128;
    block_on(mediator.with(&1_u8).with(&2_u16).with(&3_u32).with(&4_u64).with(&mut total).publish(Placed::new(1)))
        .unwrap();
    assert_eq!(total, 10);
}

fn refused(publish: impl Future<Output = Result<(), PublishError>>) -> PublishError {
    let error = block_on(publish).unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::NotLent, "{error:#}");
    error
}

#[test]
fn what_is_not_lent_is_found_before_any_handler_starts_and_the_event_comes_back() {
    let seen = Seen::default();
    let builder = bare().provide(seen.clone()).bind_fn(take_what_there_is).bind_fn(write).bind_fn(write_at_once);
    let mediator = builder.build().unwrap();
    let error = refused(mediator.with(&Noon).publish(Placed::new(7)));
    let text = format!("{error:#}");
    for part in
        ["::write` (tests/behavior/lending.rs:", "`journal: &mut ", "::Journal`", "lent: `&", "::Noon`", "tenant: &"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(error.failures().len(), 3, "{text}");
    assert_eq!(error.into_unpublished()[0].downcast_ref::<Placed>().unwrap().order, 7);
    assert!(seen.0.lock().unwrap().is_empty());
    let error = refused(mediator.publish_with(&SequentialEventPublisher, Placed::new(8)));
    assert_eq!(error.unpublished()[0].downcast_ref::<Placed>().unwrap().order, 8);
}

#[test]
fn an_optional_borrow_is_given_if_it_is_lent_and_free() {
    let seen = Seen::default();
    let mediator = bare().provide(seen.clone()).bind_fn(take_what_there_is).build().unwrap();
    let mut journal = Journal::default();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    block_on(mediator.with(&mut journal).publish(Placed::new(1))).unwrap();
    block_on(mediator.with(&Tenant("acme")).with(&journal).publish(Placed::new(1))).unwrap();
    assert_eq!(*seen.0.lock().unwrap(), [(false, None), (true, None), (false, Some("acme"))]);
    assert_eq!(journal.0, ["optional"]);
}

#[test]
fn what_is_lent_as_shared_cannot_be_borrowed_exclusively() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let error = refused(mediator.with(&Journal::default()).publish(Placed::new(1)));
    assert!(format!("{error:#}").contains("lent as `&` only; lend it by `.with(&mut …)`"), "{error:#}");
}

/// Derefs to what is borrowed, as a transaction does to its connection.
struct Transaction<T>(T);

#[test]
fn an_error_hints_at_what_something_near_derefs_to() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let error = refused(mediator.with(&mut Transaction(Journal::default())).publish(Placed::new(1)));
    assert!(format!("{error:#}").contains("lend what it derefs to, `.with(&mut *…)`"), "{error:#}");
    let error = refused(mediator.with(&mut Box::new(Journal::default())).publish(Placed::new(1)));
    assert!(format!("{error:#}").contains("lend what it derefs to, `.with(&mut *…)`"), "{error:#}");
    assert!(Transaction(1).0 == 1);
    let error = refused(mediator.with(&mut Mutex::new(Journal::default())).publish(Placed::new(1)));
    assert!(
        format!("{error:#}").contains("lock it and lend what the guard derefs to, `.with(&mut *guard)`"),
        "{error:#}"
    );
}

#[test]
fn an_error_hints_at_nothing_that_is_not_near_and_lists_all_that_is_lent() {
    let mediator = bare().bind_fn(write_at_once).build().unwrap();
    let (mut journal, mut transaction) = (Journal::default(), Transaction(1_u8));
    let lends = mediator.with(&mut journal).with(&mut transaction).with(&7_u8);
    let text = format!("{:#}", refused(lends.publish(Placed::new(1))));
    assert!(
        text.contains("`tenant: &behavior::lending::Tenant`, which this publish does not lend; publish by"),
        "{text}"
    );
    assert!(text.contains("; lent: `&u8`, `&mut behavior::lending::Transaction<u8>`, `&mut "), "{text}");
    let text =
        format!("{:#}", refused(mediator.with(&mut journal).with(&vec![Tenant("acme")]).publish(Placed::new(1))));
    assert!(!text.contains("derefs"), "{text}");
    let text = format!("{:#}", refused(mediator.with(&Arc::new(Tenant("acme"))).with(&7_u8).publish(Placed::new(1))));
    assert!(
        text.contains("Tenant>`: lend what it derefs to, `.with(&*…)`; lent: `&u8`, `&alloc::sync::Arc<"),
        "{text}"
    );
}

#[test]
fn a_handle_that_is_borrowed_exclusively_is_refused_with_the_way_out() {
    #[event_handler(manual)]
    fn exclusive(_event: &Placed, _publisher: &mut Publisher) {}

    let mediator = bare().bind_fn(exclusive).build().unwrap();
    let text = format!("{:#}", refused(mediator.publish(Placed::new(1))));
    assert!(text.contains("which every publish lends as `&`; remove the `mut`"), "{text}");
}

#[event_handler(manual)]
async fn reserve_while_holding(
    _event: &Placed,
    _journal: &mut Journal,
    publisher: &Publisher,
) -> Result<(), PublishError> {
    publisher.publish(Reserved::new()).await
}

#[test]
fn an_optional_borrow_of_what_another_handler_has_alone_is_none() {
    #[event_handler(manual)]
    fn look(_event: &Reserved, journal: Option<&Journal>, exclusive: Option<&mut Tenant>) {
        assert!(journal.is_none() && exclusive.is_none());
    }

    let mediator = bare().bind_fn(reserve_while_holding).bind_fn(look).build().unwrap();
    block_on(mediator.with(&mut Journal::default()).publish(Placed::new(1))).unwrap();
}

#[test]
fn an_optional_borrow_leaves_what_a_handler_that_runs_at_the_same_time_needs() {
    #[event_handler(manual)]
    async fn could_use(_event: &Placed, journal: Option<&mut Journal>, tenant: Option<&Tenant>) {
        assert!(journal.is_none() && tenant.is_some());
        pending(1).await;
    }

    let builder = || bare().bind_fn(could_use).bind_fn(write_at_once);
    for mediator in [
        builder().event_publisher(JoinEventPublisher).build().unwrap(),
        builder().event_publisher(GroupEventPublisher).build().unwrap(),
    ] {
        let mut journal = Journal::default();
        block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap();
        assert_eq!(journal.0, ["for acme"]);
    }
}

/// A publish through the publisher that is lent.
#[event_handler(manual)]
async fn reserve(_event: &Placed, publisher: &Publisher) -> Result<(), PublishError> {
    pending(1).await;
    publisher.publish(Reserved::new()).await
}

#[event_handler(manual)]
async fn reserve_holding(_event: &Placed, journal: &mut Journal, publisher: &Publisher) -> Result<(), PublishError> {
    journal.0.push("holding".into());
    publisher.publish(Reserved::new()).await
}

#[event_handler(manual)]
async fn reserve_lending(_event: &Placed, journal: &mut Journal, publisher: &Publisher) -> Result<(), PublishError> {
    journal.0.push("lending".into());
    publisher.with(&mut *journal).publish(Reserved::new()).await?;
    journal.0.push("back".into());
    Ok(())
}

#[event_handler(manual)]
async fn on_reserved(_event: &Reserved, journal: &mut Journal, tenant: &Tenant) {
    pending(1).await;
    journal.0.push(format!("reserved for {}", tenant.0));
}

#[event_handler(manual)]
fn read_on_reserved(_event: &Reserved, tenant: &Tenant) {
    assert_eq!(tenant.0, "acme");
}

#[test]
fn a_nested_publish_inherits_what_is_free() {
    let mediator = bare().bind_fn(reserve).bind_fn(on_reserved).bind_fn(read_on_reserved).build().unwrap();
    let mut journal = Journal::default();
    block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap();
    assert_eq!(journal.0, ["reserved for acme"]);
}

#[test]
fn a_handler_lends_what_it_holds() {
    let mediator = bare().bind_fn(reserve_lending).bind_fn(on_reserved).build().unwrap();
    let mut journal = Journal::default();
    block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap();
    assert_eq!(journal.0, ["lending", "reserved for acme", "back"]);
}

#[test]
fn what_the_enclosing_handler_holds_is_refused_with_the_way_to_lend_it() {
    let mediator = bare().bind_fn(reserve_holding).bind_fn(on_reserved).build().unwrap();
    let mut journal = Journal::default();
    let error = block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap_err();
    let nested: &PublishError = error.downcast_ref().unwrap();
    assert_eq!((error.kind(), nested.kind()), (PublishErrorKind::Handlers, PublishErrorKind::NotLent));
    assert!(format!("{nested:#}").contains("publisher.with(&mut *…).publish(…)"), "{nested:#}");
    assert_eq!(journal.0, ["holding"]);
}

#[test]
fn under_a_concurrent_strategy_a_nested_publish_inherits_only_what_is_shared() {
    let shared = bare().bind_fn(reserve).bind_fn(read_on_reserved).event_publisher(GroupEventPublisher);
    block_on(shared.build().unwrap().with(&Tenant("acme")).publish(Placed::new(1))).unwrap();

    for exclusive in [false, true] {
        let builder = bare().bind_fn(reserve).bind_fn(on_reserved);
        let builder = if exclusive {
            builder.event_publisher(JoinEventPublisher)
        } else {
            builder.event_publisher_for::<Placed>(GroupEventPublisher)
        };
        let mut journal = Journal::default();
        let mediator = builder.build().unwrap();
        let error = block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap_err();
        let nested: &PublishError = error.downcast_ref().unwrap();
        assert_eq!(nested.kind(), PublishErrorKind::NotLent);
        assert!(format!("{nested:#}").contains("its handlers run at once"), "{nested:#}");
    }
}

#[test]
fn a_publish_through_an_injected_publisher_is_one_of_its_own() {
    #[event_handler(manual)]
    async fn reserve_apart(_event: &Placed, publisher: Publisher) -> Result<(), PublishError> {
        assert!(publisher.is_weak() && publisher.cause().is_none());
        publisher.publish(Reserved::new()).await
    }

    let mediator = bare().bind_fn(reserve_apart).bind_fn(on_reserved).build().unwrap();
    let mut journal = Journal::default();
    let error = block_on(mediator.with(&mut journal).with(&Tenant("acme")).publish(Placed::new(1))).unwrap_err();
    assert_eq!(error.downcast_ref::<PublishError>().unwrap().kind(), PublishErrorKind::NotLent);
}

#[test]
fn a_lent_handle_knows_its_event_and_the_outermost_one_and_its_clone_is_weak() {
    #[event_handler(manual)]
    async fn first(event: &Placed, publisher: &Publisher, mediator: &Mediator) -> Result<(), PublishError> {
        assert_eq!(publisher.cause().unwrap().event_id(), Some(event.event_id));
        assert_eq!(mediator.correlation_id(), Some(event.event_id));
        let escaped = publisher.clone();
        assert!(escaped.is_weak() && escaped.cause().is_none() && mediator.publisher().is_weak());
        assert_eq!(mediator.topology().events().iter().filter(|node| !node.handlers().is_empty()).count(), 2);
        publisher.with(&event.event_id).publish(Reserved::new()).await
    }

    #[event_handler(manual)]
    fn second(event: &Reserved, outermost: &EventId, publisher: &Publisher) {
        assert_eq!(publisher.cause().unwrap().event_id(), Some(event.event_id));
        assert_eq!(publisher.correlation_id(), Some(*outermost));
    }

    let mediator = bare().bind_fn(first).bind_fn(second).build().unwrap();
    block_on(mediator.publish(Placed::new(1))).unwrap();
    assert!(mediator.cause().is_none() && mediator.with(&1_u8).correlation_id().is_none());
}

#[event_handler(manual)]
async fn write_too(_event: &Placed, journal: &mut Journal) {
    pending(1).await;
    journal.0.push("too".into());
}

#[test]
fn two_that_run_at_once_and_cannot_share_are_an_error_of_the_wiring_or_of_the_call() {
    let builder = || bare().bind_fn(write).bind_fn(write_too);
    let error = builder().event_publisher(GroupEventPublisher).build().unwrap_err();
    assert!(error.to_string().contains("run at once, and both borrow `"), "{error}");
    assert!(builder().event_publisher_for::<Placed>(JoinEventPublisher).build().is_err());

    let mediator = builder().build().unwrap();
    let mut journal = Journal::default();
    let error = refused(mediator.with(&mut journal).publish_with(&GroupEventPublisher, Placed::new(1)));
    assert!(format!("{error:#}").contains("they run at once"), "{error:#}");
    assert!(journal.0.is_empty());
}

#[test]
fn handlers_that_run_at_once_share_what_they_only_read() {
    let mediator = bare().bind_fn(read).event_publisher(GroupEventPublisher).build().unwrap();
    let mut journal = Journal(vec!["a line".into()]);
    block_on(mediator.with(&mut journal).with(&Noon as &dyn Clock).publish(Placed::new(1))).unwrap();
}

#[test]
fn a_strategy_that_delivers_two_at_once_makes_the_second_fail() {
    struct AllAtOnce;

    impl EventPublisher for AllAtOnce {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            let outcomes = futures::future::join_all(deliveries.iter().map(|delivery| delivery.deliver())).await;
            deliveries.finish(outcomes.into_iter().filter_map(Result::err))
        }
    }

    let mediator = bare().bind_fn(write).bind_fn(write_too).build().unwrap();
    let mut journal = Journal::default();
    let error = block_on(mediator.with(&mut journal).publish_with(&AllAtOnce, Placed::new(1))).unwrap_err();
    assert_eq!(error.failures().len(), 1);
    assert!(format!("{error:#}").contains("which another handler holds"), "{error:#}");
    assert_eq!(journal.0, ["order 1", "written"]);
}

#[test]
fn a_handler_that_borrows_one_type_twice_is_an_error_of_the_wiring() {
    #[event_handler(manual)]
    fn greedy(_event: &Placed, one: &mut Journal, other: &Journal) {
        one.0.push(format!("{other:?}"));
    }

    let error = bare().bind_fn(greedy).build().unwrap_err();
    assert!(error.to_string().contains("twice, once as `&mut`"), "{error}");
}

/// Every way for a handler to end early, after which what it held is free again.
#[test]
fn what_was_held_is_free_after_a_failure_a_panic_or_a_cancellation() {
    #[event_handler(manual)]
    async fn stumbles(event: &Placed, journal: &mut Journal) -> Result<(), fmt::Error> {
        journal.0.push(format!("start {}", event.order));
        pending(1).await;
        match event.order {
            0 => Err(fmt::Error),
            1 => panic!("over a stone"),
            _ => Ok(()),
        }
    }

    let mediator = bare().bind_fn(stumbles).build().unwrap();
    let mut journal = Journal::default();
    let scope = mediator.with(&mut journal);
    for order in [0, 1] {
        block_on(scope.publish(Placed::new(order))).unwrap_err();
    }
    let mut cancelled = Stepped::new(scope.publish(Placed::new(2)));
    assert!(cancelled.step().is_pending());
    drop(cancelled);
    block_on(scope.publish(Placed::new(3))).unwrap();
    drop(scope);
    assert_eq!(journal.0, ["start 0", "start 1", "start 2", "start 3"]);
}

static FORGOTTEN: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

#[test]
fn what_a_forgotten_publish_held_is_refused_to_later_ones() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    {
        let scope = mediator.with(&mut journal);
        let mut forgotten = Box::pin(scope.publish(Placed::new(1)));
        let mut step = Stepped::new(futures::future::poll_fn(|cx| {
            assert!(forgotten.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        }));
        assert!(step.step().is_ready());
        drop(step);
        // Reachable, so that tools that look for leaks do not report what is leaked on purpose.
        FORGOTTEN.store(Box::into_raw(Box::new(forgotten)).cast(), Ordering::Relaxed);
        let error = refused(scope.publish(Placed::new(2)));
        assert!(format!("{error:#}").contains("which another handler holds"), "{error:#}");
    }
    // The forgotten handler is never polled again, so this is the only way to the journal.
    block_on(mediator.with(&mut journal).publish(Placed::new(3))).unwrap();
    assert_eq!(journal.0, ["order 1", "order 3", "written"]);
}

#[test]
fn values_of_any_kind_of_reference_can_be_lent() {
    struct Empty;

    trait Sink: Send {
        fn write(&mut self, text: &str);
    }

    impl Sink for String {
        fn write(&mut self, text: &str) {
            self.push_str(text);
        }
    }

    #[event_handler(manual)]
    fn use_all(_event: &Placed, text: &str, bytes: &mut [u8], _empty: &mut Empty, written: &mut dyn Sink) {
        bytes[0] = text.len().try_into().unwrap();
        written.write(text);
    }

    let mediator = bare().bind_fn(use_all).build().unwrap();
    let (mut bytes, mut written) = ([0_u8; 3], String::new());
    let write: &mut dyn Sink = &mut written;
    block_on(mediator.with("hello").with(&mut bytes[..]).with(&mut Empty).with(write).publish(Placed::new(1))).unwrap();
    assert_eq!((bytes, written.as_str()), ([5, 0, 0], "hello"));
}

#[test]
fn an_optional_trait_object_may_be_borrowed_exclusively() {
    trait Counts: Send {
        fn count(&mut self);
    }

    impl Counts for u32 {
        fn count(&mut self) {
            *self += 1;
        }
    }

    #[event_handler(manual)]
    fn counts(_event: &Placed, counter: Option<&mut dyn Counts>) {
        if let Some(counter) = counter {
            counter.count();
        }
    }

    #[event_handler(manual)]
    async fn counts_again(_event: &Placed, counter: &mut (dyn Counts + '_)) {
        pending(1).await;
        counter.count();
    }

    let mut counter = 0_u32;
    let mediator = bare().bind_fn(counts).bind_fn(counts_again).build().unwrap();
    block_on(mediator.with(&mut counter as &mut dyn Counts).publish(Placed::new(1))).unwrap();
    assert_eq!(counter, 2);
}

#[test]
fn a_publish_may_be_polled_on_another_thread_each_time() {
    let mediator = bare().bind_fn(write).bind_fn(reserve_lending).bind_fn(on_reserved).build().unwrap();
    let (mut journal, tenant) = (Journal::default(), Tenant("acme"));
    {
        let scope = mediator.with(&mut journal).with(&tenant);
        let mut publish = Box::pin(scope.publish(Placed::new(1)));
        let mut step = || {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            publish.as_mut().poll(&mut cx).is_ready()
        };
        while !std::thread::scope(|threads| threads.spawn(&mut step).join().unwrap()) {}
    }
    assert_eq!(journal.0.last().unwrap(), "back");
}

#[test]
fn a_value_can_publish_through_a_lent_publisher_while_it_is_dropped() {
    struct PublishesOnDrop<'a>(&'a Publisher);

    impl Drop for PublishesOnDrop<'_> {
        fn drop(&mut self) {
            // An executor cannot run within another one.
            assert!(
                Stepped::new(self.0.publish(Reserved::new()))
                    .run_until_stalled()
                    .map(|published| published.unwrap())
                    .is_ready()
            );
        }
    }

    #[event_handler(manual)]
    async fn drops(_event: &Placed, publisher: &Publisher) {
        let _late = PublishesOnDrop(publisher);
        pending(3).await;
    }

    let mediator = bare().bind_fn(drops).bind_fn(on_reserved).build().unwrap();
    let mut journal = Journal::default();
    {
        let scope = mediator.with(&mut journal).with(&Tenant("acme"));
        block_on(scope.publish(Placed::new(1))).unwrap();
        let mut cancelled = Stepped::new(scope.publish(Placed::new(2)));
        assert!(cancelled.step().is_pending());
    }
    assert_eq!(journal.0, ["reserved for acme", "reserved for acme"]);
}

#[test]
fn the_topology_shows_what_handlers_borrow() {
    let mediator = bare().bind_fn(write_at_once).bind_fn(on_reserved).build().unwrap();
    let events = mediator.topology().events();
    let placed = events.iter().find(|node| node.event().name().ends_with("lending::Placed")).unwrap();
    let borrows: Vec<_> = placed.handlers()[0].borrows().iter().map(|it| (it.parameter(), it.to_string())).collect();
    assert_eq!(borrows, [("journal", "&mut Journal".to_owned()), ("tenant", "&Tenant".to_owned())]);
}

/// A handler that waits at several places, with the journal held over each of them.
#[event_handler(manual)]
async fn waits_often(_event: &Placed, journal: &mut Journal, publisher: &Publisher) -> Result<(), PublishError> {
    for step in 0..3 {
        journal.0.push(format!("step {step}"));
        pending(1).await;
    }
    publisher.with(&mut *journal).publish(Reserved::new()).await
}

#[test]
fn a_publish_may_be_dropped_at_every_await_and_the_value_lent_again() {
    let mediator = bare().bind_fn(waits_often).bind_fn(on_reserved).build().unwrap();
    let tenant = Tenant("acme");
    for polls in 0..6 {
        let mut journal = Journal::default();
        {
            let scope = mediator.with(&mut journal).with(&tenant);
            let mut publish = Stepped::new(scope.publish(Placed::new(1)));
            let ended = (0..polls).any(|_| publish.step().is_ready());
            assert_eq!(ended, polls == 5);
        }
        journal.0.clear();
        block_on(mediator.with(&mut journal).with(&tenant).publish(Placed::new(2))).unwrap();
        assert_eq!(journal.0, ["step 0", "step 1", "step 2", "reserved for acme"]);
    }
}
