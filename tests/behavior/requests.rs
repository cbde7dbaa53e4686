//! Requests: one handler each, which answers; who may send, what is lent, and how a send fails.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, MediatorBuilder, PublishErrorKind};
use mediator_tests::{Log, Stepped, pending};

fn bare() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

#[derive(Debug, PartialEq)]
struct Confirmation {
    order: u32,
}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("{0} is out of stock")]
    OutOfStock(String),
    #[error(transparent)]
    Send(#[from] SendError),
}

#[request(Confirmation, error = OrderError)]
struct PlaceOrder {
    item: &'static str,
}

#[request(usize)]
struct CountOrders;

#[request]
enum Tidy {
    Now,
    Later(String),
}

#[request(String, error = anyhow::Error)]
struct Describe;

#[derive(Default)]
struct Orders(Mutex<Vec<String>>);

#[request_handler(manual)]
async fn place_order(request: &PlaceOrder, orders: Arc<Orders>) -> Result<Confirmation, OrderError> {
    pending(1).await;
    if request.item == "unicorn" {
        return Err(OrderError::OutOfStock(request.item.into()));
    }
    assert_ne!(request.item, "bomb", "no bombs");
    let mut orders = orders.0.lock().unwrap();
    orders.push(request.item.into());
    Ok(Confirmation { order: orders.len().try_into().unwrap() })
}

#[request_handler(manual)]
fn count_orders(_request: &CountOrders, orders: Arc<Orders>) -> usize {
    orders.0.lock().unwrap().len()
}

fn place(item: &'static str) -> PlaceOrder {
    PlaceOrder { item }
}

fn shop() -> Mediator {
    bare().provide(Arc::new(Orders::default())).bind_fn(place_order).bind_fn(count_orders).build().unwrap()
}

#[test]
fn send_returns_what_the_handler_returns() {
    let mediator = shop();
    let confirmation: Result<Confirmation, OrderError> = block_on(mediator.send(place("book")));
    assert_eq!(confirmation.unwrap(), Confirmation { order: 1 });
    let count: Result<usize, SendError> = block_on(mediator.send(CountOrders));
    assert_eq!(count.unwrap(), 1);
    let error = block_on(mediator.send(place("unicorn"))).unwrap_err();
    assert!(matches!(&error, OrderError::OutOfStock(item) if item == "unicorn"), "{error}");
}

#[test]
fn a_request_may_be_an_enum_answer_nothing_or_fail_with_anyhow() {
    #[request_handler(manual)]
    async fn tidy(request: &Tidy, log: Log) {
        match request {
            Tidy::Now => log.add("now"),
            Tidy::Later(when) => log.add(when.clone()),
        }
    }

    #[request_handler(manual)]
    fn describe(_request: &Describe) -> anyhow::Result<String> {
        anyhow::bail!("nothing to tell")
    }

    let log = Log::default();
    let mediator = bare().provide(log.clone()).bind_fn(tidy).bind_fn(describe).build().unwrap();
    let answered: Result<(), SendError> = block_on(mediator.send(Tidy::Now));
    answered.unwrap();
    block_on(mediator.send(Tidy::Later("tomorrow".into()))).unwrap();
    assert_eq!(log.entries(), ["now", "tomorrow"]);
    assert_eq!(block_on(mediator.send(Describe)).unwrap_err().to_string(), "nothing to tell");
}

#[test]
fn a_generic_request_is_sent_as_each_of_its_types() {
    #[request(Option<T>, error = OrderError)]
    struct Find<T> {
        wanted: T,
    }

    #[derive(Inject)]
    struct Finder;

    impl<T: Clone + Send + Sync + 'static> RequestHandler<Find<T>> for Finder {
        async fn handle(&self, request: &Find<T>) -> Result<Option<T>, OrderError> {
            Ok(Some(request.wanted.clone()))
        }
    }

    let mediator = bare().bind_request::<Find<u8>, Finder>().bind_request::<Find<&str>, Finder>().build().unwrap();
    assert_eq!(block_on(mediator.send(Find { wanted: 3_u8 })).unwrap(), Some(3));
    assert_eq!(block_on(mediator.send(Find { wanted: "x" })).unwrap(), Some("x"));
    let error = block_on(mediator.send(Find { wanted: 3_u16 })).unwrap_err();
    assert!(matches!(error, OrderError::Send(SendError::NoHandler { .. })), "{error}");
}

/// Whether an answer fits into the room of a future or not, it arrives; and is dropped once.
#[test]
fn an_answer_may_be_of_any_size() {
    #[request(([u64; N], Arc<()>))]
    struct Numbers<const N: usize>(Arc<()>);

    struct Counts;

    impl<const N: usize> RequestHandler<Numbers<N>> for Counts {
        async fn handle(&self, request: &Numbers<N>) -> ([u64; N], Arc<()>) {
            let numbers = [N as u64; N];
            pending(1).await;
            (numbers, request.0.clone())
        }
    }

    #[request(Vec<u8>)]
    #[repr(align(64))]
    struct Aligned(u8);

    impl RequestHandler<Aligned> for Counts {
        async fn handle(&self, request: &Aligned) -> Vec<u8> {
            pending(usize::from(request.0)).await;
            vec![request.0]
        }
    }

    let counts = Arc::new(Counts);
    let mediator = bare()
        .bind_request_handler::<Numbers<0>, _>(counts.clone())
        .bind_request_handler::<Numbers<3>, _>(counts.clone())
        .bind_request_handler::<Numbers<100>, _>(counts.clone())
        .bind_request_handler::<Aligned, _>(counts)
        .build()
        .unwrap();
    let token = Arc::new(());
    assert_eq!(block_on(mediator.send(Numbers::<0>(token.clone()))).unwrap().0, [0_u64; 0]);
    assert_eq!(block_on(mediator.send(Numbers::<3>(token.clone()))).unwrap().0, [3_u64; 3]);
    assert_eq!(block_on(mediator.send(Numbers::<100>(token.clone()))).unwrap().0, [100_u64; 100]);
    assert_eq!(block_on(mediator.send(Aligned(2))).unwrap(), [2]);
    assert_eq!(Arc::strong_count(&token), 1);
}

/// Methods as handlers, and a type that handles events too: all on one instance.
mod on_one_instance {
    use super::*;

    #[event]
    struct Opened;

    #[request]
    struct Open;

    #[request(usize)]
    struct CountOpen;

    #[request(usize)]
    struct CountTwice;

    #[derive(Inject)]
    struct Issues {
        #[inject(default)]
        open: AtomicUsize,
    }

    #[request_handlers]
    impl Issues {
        async fn open(&self, _request: &Open, publisher: &Publisher) {
            publisher.publish(Opened::new()).await.unwrap();
        }

        #[request_handler(name = "issues.count")]
        fn count(&self, _request: &CountOpen) -> usize {
            self.open.load(Ordering::Relaxed)
        }
    }

    #[event_handlers]
    impl Issues {
        fn opened(&self, _event: &Opened) {
            self.open.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[request_handler]
    impl RequestHandler<CountTwice> for Issues {
        async fn handle(&self, _request: &CountTwice) -> usize {
            2 * self.open.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn methods_an_impl_block_and_handlers_of_events_share_it() {
        let discovered = Mediator::builder().discover_where(|it| it.module_path() == module_path!());
        let mediator = discovered.build().unwrap();
        block_on(mediator.send(Open)).unwrap();
        assert_eq!(block_on(mediator.send(CountOpen)).unwrap(), 1);
        assert_eq!(block_on(mediator.send(CountTwice)).unwrap(), 2);
        let bound = bare().bind_fn(Issues::open).bind_fn(Issues::count).bind_fn(Issues::opened).build().unwrap();
        block_on(bound.send(Open)).unwrap();
        assert_eq!(block_on(bound.send(CountOpen)).unwrap(), 1);
    }

    #[test]
    fn a_bound_arc_is_the_instance_of_the_discovered_handler_too() {
        let issues = Arc::new(Issues { open: AtomicUsize::new(40) });
        let discovered = Mediator::builder()
            .discover_where(|it| it.module_path() == module_path!() && !it.handler_name().ends_with("::Issues"));
        let mediator = discovered.bind_request_handler::<CountTwice, _>(Arc::new(issues.clone())).build().unwrap();
        block_on(mediator.send(Open)).unwrap();
        assert_eq!((block_on(mediator.send(CountTwice)).unwrap(), issues.open.load(Ordering::Relaxed)), (82, 41));
    }

    #[test]
    fn what_is_registered_can_be_told_apart_by_what_it_handles() {
        let requests = Mutex::new(Vec::new());
        let builder = Mediator::builder().discover_where(|registration| {
            if registration.module_path() == module_path!() {
                let request = registration.request().map(|request| request.name());
                requests.lock().unwrap().push((registration.event_name(), request));
            }
            false
        });
        drop(builder);
        let mut requests = requests.into_inner().unwrap();
        requests.sort_unstable();
        let of_requests: Vec<_> = requests.iter().filter(|(event, _)| *event == "no event").collect();
        assert_eq!((requests.len(), of_requests.len()), (4, 3), "{requests:?}");
        assert!(
            of_requests.iter().all(|(_, request)| request.is_some_and(|name| name.contains("::on_one_instance::")))
        );
    }
}

/// The struct names several requests; one instance answers them all.
#[test]
fn a_struct_may_handle_several_requests() {
    let mediator = Mediator::builder().discover_where(|it| it.module_path() == several::PATH).build().unwrap();
    assert_eq!(block_on(mediator.send(several::Next)).unwrap(), 1);
    assert_eq!(block_on(mediator.send(several::Next)).unwrap(), 2);
    assert_eq!(block_on(mediator.send(several::Total)).unwrap(), "2 in all");
}

mod several {
    use super::*;

    pub(super) const PATH: &str = module_path!();

    #[request(usize)]
    pub(super) struct Next;

    #[request(String)]
    pub(super) struct Total;

    #[request_handler(Next, Total)]
    struct Numbers {
        #[inject(default)]
        next: AtomicUsize,
    }

    impl RequestHandler<Next> for Numbers {
        async fn handle(&self, _request: &Next) -> usize {
            self.next.fetch_add(1, Ordering::Relaxed) + 1
        }
    }

    impl RequestHandler<Total> for Numbers {
        async fn handle(&self, _request: &Total) -> String {
            format!("{} in all", self.next.load(Ordering::Relaxed))
        }
    }
}

/// A handler around another one, as for logging.
#[test]
fn a_handler_may_wrap_another_one() {
    struct Logged<H>(H, Log);

    impl<R: Request, H: RequestHandler<R>> RequestHandler<R> for Logged<H> {
        async fn handle(&self, request: &R) -> R::Output {
            self.1.add(R::request_name());
            self.0.handle(request).await
        }
    }

    struct Always(usize);

    impl RequestHandler<CountOrders> for Always {
        async fn handle(&self, _request: &CountOrders) -> usize {
            self.0
        }
    }

    let log = Log::default();
    let mediator = bare().bind_request_handler::<CountOrders, _>(Logged(Always(7), log.clone())).build().unwrap();
    assert_eq!(block_on(mediator.send(CountOrders)).unwrap(), 7);
    assert_eq!(log.entries(), ["behavior::requests::CountOrders"]);
}

// Senders

#[test]
fn a_sender_sends_and_keeps_the_handlers_unless_it_is_weak() {
    let mediator = shop();
    let (sender, weak) = (mediator.sender(), mediator.sender().downgrade());
    assert!(!sender.is_weak() && weak.is_weak() && weak.clone().is_weak());
    drop(mediator);
    assert_eq!(block_on(weak.send(CountOrders)).unwrap(), 0);
    drop(sender);
    let error = block_on(weak.send(CountOrders)).unwrap_err();
    assert!(matches!(error, SendError::MediatorDropped { .. }), "{error}");
    assert!(
        error.to_string().starts_with("sending `behavior::requests::CountOrders` failed: the mediator was dropped")
    );
    let converted = block_on(weak.send(place("book"))).unwrap_err();
    assert!(matches!(converted, OrderError::Send(SendError::MediatorDropped { .. })), "{converted}");
}

#[test]
fn an_injected_sender_is_weak_and_its_sends_are_of_their_own() {
    #[request(usize)]
    struct Ask;

    #[request_handler(manual)]
    async fn ask(_request: &Ask, sender: Sender) -> usize {
        assert!(sender.is_weak());
        sender.send(CountOrders).await.unwrap()
    }

    let orders = Arc::new(Orders::default());
    let builder = bare().provide(orders.clone());
    let mediator = builder.bind_fn(ask).bind_fn(count_orders).bind_fn(place_order).build().unwrap();
    block_on(mediator.send(place("book"))).unwrap();
    assert_eq!(block_on(mediator.send(Ask)).unwrap(), 1);
    let weak = Arc::downgrade(&orders);
    drop((mediator, orders));
    assert!(weak.upgrade().is_none(), "a handler that owns a sender keeps nothing alive");
}

#[test]
fn a_send_that_has_started_keeps_the_handlers_of_a_weak_sender() {
    let mediator = shop();
    let sender = mediator.sender().downgrade();
    let mut send = Stepped::new(sender.send(place("book")));
    assert!(send.step().is_pending());
    drop(mediator);
    assert!(send.run_until_stalled().is_ready());
    drop(send);
    assert!(matches!(block_on(sender.send(CountOrders)).unwrap_err(), SendError::MediatorDropped { .. }));
}

#[test]
fn a_handle_cannot_be_provided() {
    let sender = shop().sender();
    let error = bare().provide(sender).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::ProvidedHandle { .. }]), "{error}");
}

// How many handlers

#[test]
fn a_request_with_two_handlers_is_an_error_with_both_places() {
    #[request_handler(manual)]
    fn count_again(_request: &CountOrders) -> usize {
        2
    }

    let builder = bare().provide(Arc::new(Orders::default())).bind_fn(count_orders).bind_fn(count_again);
    let error = builder.build().unwrap_err();
    let [BuildProblem::SecondRequestHandler { request_name, first, second, .. }] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(*request_name, "behavior::requests::CountOrders");
    assert!(first.name().ends_with("::count_orders") && second.name().ends_with("::count_again"));
    let text = error.to_string();
    assert_eq!(text.matches("tests/behavior/requests.rs:").count(), 2, "{text}");
    assert!(text.contains("has two handlers"), "{text}");
}

#[test]
fn a_handler_that_is_bound_twice_is_one_too_many() {
    let error = bare().provide(Arc::new(Orders::default())).bind_fn(count_orders).bind_fn(count_orders).build();
    let error = error.unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::DuplicateHandler { .. }]), "{error}");
}

#[test]
fn a_request_that_nobody_handles_says_so_when_it_is_sent() {
    let error = block_on(bare().build().unwrap().send(CountOrders)).unwrap_err();
    assert!(matches!(error, SendError::NoHandler { .. }));
    assert_eq!(error.request_name(), "behavior::requests::CountOrders");
    assert!(error.handler().is_none() && error.source().is_none());
    assert!(
        error.to_string().contains("nobody handles it; register a handler, or link the crate that does"),
        "{error}"
    );
}

#[test]
fn observers_and_handlers_of_events_do_not_see_requests() {
    #[event_handler(manual)]
    fn observe(_event: &dyn DynNotification, log: Log) {
        log.add("observed");
    }

    let log = Log::default();
    let mediator = bare().provide(log.clone()).bind_fn(observe).build().unwrap();
    let error = block_on(mediator.send(CountOrders)).unwrap_err();
    assert!(matches!(error, SendError::NoHandler { .. }), "{error}");
    assert!(log.entries().is_empty());
}

// Failures

#[test]
fn a_panic_is_the_error_that_the_request_makes_of_it_and_tears_nothing_down() {
    let mediator = shop();
    let OrderError::Send(error) = block_on(mediator.send(place("bomb"))).unwrap_err() else { panic!("another error") };
    assert!(matches!(error, SendError::Panicked { .. }));
    assert!(error.panic_message().unwrap().contains("no bombs"));
    let text = error.to_string();
    let start = "sending `behavior::requests::PlaceOrder` failed: handler `behavior::requests::place_order` \
                 (tests/behavior/requests.rs:";
    assert!(text.starts_with(start) && text.contains(") panicked: "), "{text}");
    assert_eq!(text, format!("{error:?}"));
    assert!(error.handler().unwrap().name().ends_with("::place_order") && error.source().is_none());
    assert_eq!(block_on(mediator.send(place("book"))).unwrap(), Confirmation { order: 1 });
}

#[test]
fn the_payload_of_a_panic_can_be_taken_out() {
    #[request_handler(manual)]
    fn throw(_request: &CountOrders) -> usize {
        std::panic::panic_any(7_u32)
    }

    let mediator = bare().bind_fn(throw).build().unwrap();
    let error = block_on(mediator.send(CountOrders)).unwrap_err();
    assert_eq!(error.panic_payload().unwrap().downcast_ref::<u32>(), Some(&7));
    assert_eq!(*error.into_panic().unwrap().downcast::<u32>().unwrap(), 7);
}

#[test]
fn a_handler_may_never_return() {
    #[request_handler(manual)]
    async fn never(_request: &CountOrders) -> ! {
        panic!("never")
    }

    #[request_handler(manual)]
    fn never_borrowing(_request: &PlaceOrder, _orders: &Orders) -> ! {
        panic!("never")
    }

    let mediator = bare().bind_fn(never).bind_fn(never_borrowing).build().unwrap();
    assert_eq!(block_on(mediator.send(CountOrders)).unwrap_err().panic_message(), Some("never"));
    assert!(block_on(mediator.with(&Orders::default()).send(place("book"))).is_err());
}

#[test]
fn dropping_a_send_cancels_the_handler() {
    #[request_handler(manual)]
    async fn waits(_request: &CountOrders, log: Log) -> usize {
        let _cancelled = log.on_drop("cancelled");
        log.add("started");
        std::future::pending().await
    }

    let log = Log::default();
    let mediator = bare().provide(log.clone()).bind_fn(waits).build().unwrap();
    let mut send = Stepped::new(mediator.send(CountOrders));
    assert!(send.step().is_pending() && send.step().is_pending());
    drop(send);
    assert_eq!(log.entries(), ["started", "cancelled"]);
    drop(mediator.send(CountOrders));
    assert_eq!(log.entries().len(), 2, "a send that is not awaited does nothing");
}

#[test]
fn requests_that_send_each_other_without_end_are_stopped_where_debug_assertions_are_on() {
    #[request(error = OrderError)]
    struct Ping;

    #[request(error = OrderError)]
    struct Pong;

    #[request_handler(manual)]
    async fn ping(_request: &Ping, sender: &Sender) -> Result<(), OrderError> {
        Box::pin(sender.send(Pong)).await
    }

    #[request_handler(manual)]
    async fn pong(_request: &Pong, sender: &Sender) -> Result<(), OrderError> {
        Box::pin(sender.send(Ping)).await
    }

    if cfg!(debug_assertions) {
        let mediator = bare().bind_fn(ping).bind_fn(pong).build().unwrap();
        let error = block_on(mediator.send(Ping)).unwrap_err();
        assert!(matches!(&error, OrderError::Send(SendError::TooDeep { .. })), "{error}");
        assert!(error.to_string().contains("::Ping` → `") && error.to_string().contains("cause each other"), "{error}");
    }
}

// What is lent

#[derive(Debug, Default)]
struct Journal(Vec<String>);

struct Tenant(&'static str);

#[request(usize, error = OrderError)]
struct Write {
    line: &'static str,
}

#[request_handler(manual)]
async fn write(request: &Write, journal: &mut Journal, tenant: Option<&Tenant>) -> Result<usize, OrderError> {
    let line = format!("{}{}", request.line, tenant.map_or("", |tenant| tenant.0));
    pending(1).await;
    assert_ne!(line, "panic");
    journal.0.push(line);
    Ok(journal.0.len())
}

#[event]
struct Placed;

#[test]
fn a_handler_borrows_what_the_send_lends() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    {
        let scope = mediator.with(&mut journal);
        assert_eq!(block_on(scope.send(Write { line: "a" })).unwrap(), 1);
        assert_eq!(block_on(scope.with(&Tenant(" of acme")).send(Write { line: "b" })).unwrap(), 2);
    }
    let sender = mediator.sender();
    assert_eq!(block_on(sender.with(&mut journal).send(Write { line: "c" })).unwrap(), 3);
    assert_eq!(journal.0, ["a", "b of acme", "c"]);
}

#[test]
fn what_is_made_from_a_scope_lends_nothing() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    let scope = mediator.with(&mut journal);
    let sender = scope.sender();
    assert!(!sender.is_weak());
    let error = block_on(sender.send(Write { line: "a" })).unwrap_err();
    assert!(matches!(error, OrderError::Send(SendError::NotLent { .. })), "{error}");
}

fn not_lent(send: impl Future<Output = Result<usize, OrderError>>) -> String {
    match block_on(send).unwrap_err() {
        OrderError::Send(error @ SendError::NotLent { .. }) => {
            assert!(error.handler().unwrap().name().ends_with("::write") && error.source().is_none());
            error.to_string()
        }
        error => panic!("{error}"),
    }
}

#[test]
fn what_is_not_lent_is_an_error_that_says_how_to_lend_it() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let text = not_lent(mediator.send(Write { line: "a" }));
    let parts = [
        "sending `behavior::requests::Write` failed: handler `behavior::requests::write` (tests/behavior/requests.rs:",
        "was not called: it borrows `journal: &mut behavior::requests::Journal`, which this send does not lend; \
         send by `.with(&mut …).send(…)`",
    ];
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = not_lent(mediator.with(&Tenant("x")).send(Write { line: "a" }));
    assert!(text.ends_with("; lent: `&behavior::requests::Tenant`"), "{text}");
    let text = not_lent(mediator.with(&Journal::default()).send(Write { line: "a" }));
    assert!(text.contains("lent as `&` only"), "{text}");
    let text = not_lent(mediator.with(&mut Box::new(Journal::default())).send(Write { line: "a" }));
    assert!(text.contains("lend what it derefs to, `.with(&mut *…)`"), "{text}");
}

#[test]
fn a_request_that_another_send_of_the_scope_keeps_from_its_value_is_refused() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    let scope = mediator.with(&mut journal);
    let mut first = Stepped::new(scope.send(Write { line: "a" }));
    assert!(first.step().is_pending());
    let text = not_lent(scope.send(Write { line: "b" }));
    assert!(text.contains("which another handler holds") && text.contains("sender.with(&mut *…).send(…)"), "{text}");
    assert!(first.step().is_ready());
    assert_eq!(block_on(scope.send(Write { line: "b" })).unwrap(), 2);
}

#[test]
fn what_was_held_is_free_after_a_panic_or_a_cancellation() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    let scope = mediator.with(&mut journal);
    assert!(block_on(scope.send(Write { line: "panic" })).is_err());
    let mut cancelled = Stepped::new(scope.send(Write { line: "a" }));
    assert!(cancelled.step().is_pending());
    drop(cancelled);
    assert_eq!(block_on(scope.send(Write { line: "b" })).unwrap(), 1);
}

#[test]
fn a_handler_that_borrows_one_type_twice_is_an_error_of_the_wiring() {
    #[request_handler(manual)]
    fn greedy(_request: &CountOrders, one: &mut Journal, other: &Journal) -> usize {
        one.0.len() + other.0.len()
    }

    let error = bare().bind_fn(greedy).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::BorrowedTwice { .. }]), "{error}");
}

/// Sends through the sender that the publish, or the send, around it lends.
mod nested {
    use super::*;

    #[event_handler(manual)]
    async fn on_placed(_event: &Placed, sender: &Sender) -> Result<(), OrderError> {
        pending(1).await;
        sender.send(Write { line: "sent" }).await.map(|_| ())
    }

    #[event_handler(manual)]
    async fn holds(_event: &Placed, journal: &mut Journal, sender: &Sender) -> Result<(), OrderError> {
        journal.0.push("held".into());
        sender.send(Write { line: "sent" }).await.map(|_| ())
    }

    #[event_handler(manual)]
    async fn lends_on(_event: &Placed, journal: &mut Journal, sender: &Sender) -> Result<(), OrderError> {
        journal.0.push("held".into());
        sender.with(&mut *journal).send(Write { line: "sent" }).await?;
        journal.0.push("back".into());
        Ok(())
    }

    #[request(usize, error = OrderError)]
    struct WriteTwice;

    #[request_handler(manual)]
    async fn write_twice(_request: &WriteTwice, mediator: &Mediator) -> Result<usize, OrderError> {
        mediator.send(Write { line: "one" }).await?;
        mediator.with(&Tenant(" more")).send(Write { line: "one" }).await
    }

    #[test]
    fn a_send_inherits_what_the_publish_or_the_send_around_it_lends() {
        let mediator = bare().bind_fn(on_placed).bind_fn(write).bind_fn(write_twice).build().unwrap();
        let mut journal = Journal::default();
        block_on(mediator.with(&mut journal).publish(Placed::new())).unwrap();
        assert_eq!(block_on(mediator.with(&mut journal).send(WriteTwice)).unwrap(), 3);
        assert_eq!(journal.0, ["sent", "one", "one more"]);
    }

    #[test]
    fn what_a_handler_holds_it_lends_on() {
        let mediator = bare().bind_fn(lends_on).bind_fn(write).build().unwrap();
        let mut journal = Journal::default();
        block_on(mediator.with(&mut journal).publish(Placed::new())).unwrap();
        assert_eq!(journal.0, ["held", "sent", "back"]);

        let mediator = bare().bind_fn(holds).bind_fn(write).build().unwrap();
        let error = block_on(mediator.with(&mut journal).publish(Placed::new())).unwrap_err();
        let Some(OrderError::Send(error)) = error.downcast_ref() else { panic!("{error:#}") };
        assert!(error.to_string().contains("which another handler holds"), "{error}");
    }

    #[test]
    fn under_a_concurrent_strategy_it_inherits_only_what_is_shared() {
        let builder = bare().bind_fn(on_placed).bind_fn(write).event_publisher(GroupEventPublisher);
        let mut journal = Journal::default();
        let error = block_on(builder.build().unwrap().with(&mut journal).publish(Placed::new())).unwrap_err();
        assert!(format!("{error:#}").contains("its handlers run at once"), "{error:#}");
    }

    #[test]
    fn a_nested_error_is_told_once_and_found_through_the_publish() {
        let mediator = bare().bind_fn(on_placed).build().unwrap();
        let error = block_on(mediator.publish(Placed::new())).unwrap_err();
        assert_eq!(error.kind(), PublishErrorKind::Handlers);
        let text = format!("{error:#}");
        assert_eq!(text.matches("nobody handles it").count(), 1, "{text}");
        assert!(matches!(error.downcast_ref(), Some(OrderError::Send(SendError::NoHandler { .. }))));
    }

    #[test]
    fn a_send_through_an_injected_sender_inherits_nothing() {
        #[event_handler(manual)]
        async fn apart(_event: &Placed, sender: Sender) -> Result<(), OrderError> {
            sender.send(Write { line: "sent" }).await.map(|_| ())
        }

        let mediator = bare().bind_fn(apart).bind_fn(write).build().unwrap();
        let mut journal = Journal::default();
        let error = block_on(mediator.with(&mut journal).publish(Placed::new())).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(OrderError::Send(SendError::NotLent { .. }))), "{error:#}");
    }

    #[event]
    struct Reserved {
        cause: Option<EventId>,
        root: Option<EventId>,
    }

    #[request]
    struct Reserve;

    #[request_handler(manual)]
    async fn reserve(_request: &Reserve, publisher: &Publisher, journal: Option<&mut Journal>) {
        let (cause, root) = (publisher.cause().and_then(|it| it.event_id()), publisher.correlation_id());
        let event = Reserved::new(cause, root);
        match journal {
            Some(journal) => publisher.with(journal).publish(event).await.unwrap(),
            None => publisher.publish(event).await.unwrap(),
        }
    }

    #[event_handler(manual)]
    async fn reserve_on_placed(event: &Placed, sender: &Sender, publisher: &Publisher) {
        assert_eq!(publisher.cause().unwrap().event_id(), Some(event.event_id));
        sender.send(Reserve).await.unwrap();
    }

    #[event_handler(manual)]
    fn on_reserved(event: &Reserved, publisher: &Publisher, journal: &mut Journal) {
        assert_eq!(publisher.cause().unwrap().event_id(), Some(event.event_id));
        assert_eq!(publisher.correlation_id(), Some(event.root.unwrap_or(event.event_id)));
        journal.0.push(format!("{}{}", u8::from(event.cause.is_some()), u8::from(event.cause == event.root)));
    }

    #[test]
    fn a_publish_within_a_request_is_caused_by_the_event_around_the_request() {
        let builder = bare().bind_fn(reserve).bind_fn(reserve_on_placed).bind_fn(on_reserved);
        let mediator = builder.build().unwrap();
        let mut journal = Journal::default();
        block_on(mediator.with(&mut journal).send(Reserve)).unwrap();
        block_on(mediator.with(&mut journal).publish(Placed::new())).unwrap();
        assert_eq!(journal.0, ["01", "11"], "none at the root, and then the event that sends");
    }
}

#[test]
fn a_send_may_be_polled_on_another_thread_each_time() {
    let mediator = bare().bind_fn(write).build().unwrap();
    let mut journal = Journal::default();
    {
        let scope = mediator.with(&mut journal);
        let mut send = Box::pin(scope.send(Write { line: "a" }));
        let mut step = || {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            send.as_mut().poll(&mut cx).is_ready()
        };
        while !std::thread::scope(|threads| threads.spawn(&mut step).join().unwrap()) {}
    }
    assert_eq!(journal.0, ["a"]);
}

#[test]
#[should_panic = "a send was polled again after it had ended"]
fn a_send_that_has_ended_cannot_be_polled() {
    let mediator = shop();
    let mut send = std::pin::pin!(mediator.send(CountOrders));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(send.as_mut().poll(&mut cx).is_ready());
    let _ = send.poll(&mut cx);
}

/// A request, its answer and its handler's future are dropped once, whatever happens.
#[test]
fn what_is_sent_is_dropped_once_behind_what_borrows_it() {
    #[request(mediator_tests::OnDrop)]
    struct Tracked {
        polls: usize,
        log: Log,
        _dropped: mediator_tests::OnDrop,
    }

    #[request_handler(manual)]
    async fn track(request: &Tracked) -> mediator_tests::OnDrop {
        let _future = request.log.on_drop("future");
        pending(request.polls).await;
        request.log.on_drop("answer")
    }

    let mediator = bare().bind_fn(track).build().unwrap();
    let log = Log::default();
    let tracked = |polls| Tracked { polls, log: log.clone(), _dropped: log.on_drop("request") };
    for polls in [0, 2] {
        let answer = block_on(mediator.send(tracked(polls))).unwrap();
        assert_eq!(log.take(), ["future", "request"]);
        drop(answer);
        assert_eq!(log.take(), ["answer"]);
    }
    let mut cancelled = Stepped::new(mediator.send(tracked(2)));
    assert!(cancelled.step().is_pending());
    drop(cancelled);
    assert_eq!(log.take(), ["future", "request"]);
    drop(mediator.send(tracked(0)));
    assert_eq!(log.take(), ["request"]);
}

// What is shown

mod shown {
    use super::*;

    #[request(Vec<String>, name = "orders.list")]
    struct List;

    #[request]
    struct Forgotten;

    #[request_handler]
    fn list(_request: &List, journal: &Journal) -> Vec<String> {
        journal.0.clone()
    }

    fn mediator() -> Mediator {
        Mediator::builder().discover_where(|registration| registration.module_path() == module_path!()).build().unwrap()
    }

    #[test]
    fn the_topology_has_requests_with_their_handlers() {
        let mediator = mediator();
        let node = |name: &str| {
            let mut nodes = mediator.topology().requests().iter();
            nodes.find(|node| node.request().type_name().ends_with(name)).unwrap()
        };
        let list = node("::List");
        assert_eq!(
            (list.request().name(), list.request().response()),
            ("orders.list", "alloc::vec::Vec<alloc::string::String>")
        );
        assert_eq!(list.handler().unwrap().borrows()[0].to_string(), "&Journal");
        assert!(list.handler().unwrap().handler().name().ends_with("::shown::list"));
        assert!(list.request().location().unwrap().file().ends_with("requests.rs"));
        assert_eq!(list.request().crate_name(), "behavior");
        assert!(node("::Forgotten").handler().is_none());
    }

    #[test]
    #[cfg_attr(miri, ignore = "prints what all of the program declares")]
    fn so_have_the_table_the_pictures_and_the_data() {
        let mediator = mediator();
        let table = mediator.topology().to_string();
        assert!(table.contains("request orders.list = requests::shown::List -> Vec<String>"), "{table}");
        assert!(table.contains("  1. requests::shown::list"), "{table}");
        assert!(
            table.lines().any(|line| line.contains("shown::Forgotten -> ()") && line.ends_with("no handler")),
            "{table}"
        );
        let flowchart = mediator.topology().to_mermaid();
        assert!(flowchart.contains("[/\"orders.list\"/]\n"), "{flowchart}");
        assert!(flowchart.contains("[/\"Forgotten\"/]:::unhandled\n"), "{flowchart}");
        assert_eq!(
            flowchart.lines().filter(|line| line.contains("    request") && line.contains(" --> handler")).count(),
            1
        );
        let graph = mediator.topology().to_dot();
        assert!(graph.contains("[label=\"orders.list\", shape=parallelogram];"), "{graph}");
        let data = serde_json::to_value(mediator.topology()).unwrap();
        let requests = data["requests"].as_array().unwrap();
        let find = |name: &str| requests.iter().find(|it| it["type"].as_str().unwrap().ends_with(name)).unwrap();
        assert_eq!(find("::List")["handler"]["name"], "behavior::requests::shown::list");
        assert_eq!(find("::List")["response"], "alloc::vec::Vec<alloc::string::String>");
        assert!(find("::Forgotten")["handler"].is_null());
    }
}
