//! Who is called by a publish, and in what order.
#![allow(missing_docs)]

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_tests::{Log, On, pending};

#[event]
struct OrderPlaced {
    order_id: String,
}

#[event]
struct StockReserved {
    order_id: String,
}

fn order(id: &str) -> OrderPlaced {
    OrderPlaced::new(id.into())
}

#[event_handler(OrderPlaced)]
struct SendEmail {
    log: Log,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, event: &OrderPlaced) -> Result<(), std::io::Error> {
        pending(2).await;
        self.log.add(format!("email for {}", event.order_id));
        Ok(())
    }
}

#[event_handler(order = -1)]
async fn reserve_stock(event: &OrderPlaced, log: Log, publisher: Publisher) -> Result<(), PublishError> {
    log.add(format!("reserving for {}", event.order_id));
    publisher.publish(StockReserved::new(event.order_id.clone())).await?;
    log.add(format!("reserved for {}", event.order_id));
    Ok(())
}

#[event_handler]
async fn update_stock(event: &StockReserved, log: Log) {
    pending(1).await;
    log.add(format!("stock for {}", event.order_id));
}

const ONE_PUBLISH: [&str; 4] = ["reserving for 1", "stock for 1", "reserved for 1", "email for 1"];

#[test]
fn a_publish_calls_every_discovered_handler_in_order_and_nested_ones_depth_first() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(mediator.publish(order("1"))).unwrap();
    assert_eq!(log.take(), ONE_PUBLISH);
}

#[test]
fn a_publisher_and_a_clone_call_the_same_handlers() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(mediator.publisher().publish(order("1"))).unwrap();
    assert_eq!(log.take(), ONE_PUBLISH);
    block_on(mediator.clone().publish(order("1"))).unwrap();
    assert_eq!(log.take(), ONE_PUBLISH);
}

#[test]
fn a_boxed_event_reaches_the_handlers_of_the_type_inside() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    let events: Vec<Box<dyn DynNotification>> =
        vec![Box::new(StockReserved::new("0".into())), Box::new(order("1")), Box::new(StockReserved::new("2".into()))];
    block_on(mediator.publish_all(events)).unwrap();
    let all = log.take();
    assert_eq!(all.first().unwrap(), "stock for 0");
    assert_eq!(all[1..5], ONE_PUBLISH);
    assert_eq!(all.last().unwrap(), "stock for 2");
}

#[test]
fn a_publish_does_nothing_before_it_is_polled() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    drop(mediator.publish(order("1")));
    assert!(log.entries().is_empty());
}

#[test]
fn an_event_without_handlers_is_published_to_nobody_with_every_strategy() {
    #[event]
    struct Unheard;

    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(async {
        mediator.publish(Unheard::new()).await?;
        mediator.publisher().publish(Unheard::new()).await?;
        mediator.publish_with(&SequentialEventPublisher, Unheard::new()).await?;
        mediator.publish_with(&GroupEventPublisher, Unheard::new()).await?;
        mediator.publish_all(vec![Box::new(Unheard::new()), Box::new(Unheard::new())]).await?;
        mediator.publish_all(Vec::new()).await
    })
    .unwrap();
    assert!(log.entries().is_empty());
}

mod north {
    use mediator_core::prelude::*;

    #[event(name = "counted")]
    pub(super) struct Counted;
}

mod south {
    use mediator_core::prelude::*;

    /// Not declared by a macro, which would refuse a name that is given twice.
    pub(super) struct Counted;

    impl Notification for Counted {
        fn event_name() -> &'static str {
            "counted"
        }
    }
}

#[test]
fn two_types_with_one_name_never_meet() {
    let log = Log::default();
    let (in_north, in_south) = (log.clone(), log.clone());
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<north::Counted, _>(On(move |_: &north::Counted| {
            let log = in_north.clone();
            async move { log.add("north") }
        }))
        .bind_handler::<south::Counted, _>(On(move |_: &south::Counted| {
            let log = in_south.clone();
            async move { log.add("south") }
        }))
        .build()
        .unwrap();
    assert_eq!(north::Counted::event_name(), south::Counted::event_name());
    block_on(mediator.publish(south::Counted)).unwrap();
    assert_eq!(log.take(), ["south"]);
    block_on(mediator.publish_all(vec![Box::new(north::Counted::new())])).unwrap();
    assert_eq!(log.take(), ["north"]);
}

/// Two functions that each have a `Local` of their own, handled by their own handler.
macro_rules! function_with_local_types {
    ($name:ident, $field:ident: $ty:ty = $value:expr) => {
        fn $name(log: &Log) {
            #[derive(Notification)]
            struct Local {
                $field: $ty,
            }

            #[event_handler]
            async fn local_handler(event: &Local, log: Log) {
                log.add(format!("{}: {:?}", stringify!($name), event.$field));
            }

            let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
            block_on(mediator.publish(Local { $field: $value })).unwrap();
        }
    };
}

function_with_local_types!(with_text, text: String = "hello".into());
function_with_local_types!(with_number, number: u64 = 7);

#[test]
fn types_local_to_functions_are_as_distinct_as_any() {
    let log = Log::default();
    with_text(&log);
    with_number(&log);
    assert_eq!(log.entries(), ["with_text: \"hello\"", "with_number: 7"]);
}

#[derive(Notification)]
struct Countdown(u32);

#[event_handler]
async fn count_down(event: &Countdown, publisher: Publisher, log: Log) -> Result<(), PublishError> {
    log.add(format!("{} down", event.0));
    if event.0 > 0 {
        publisher.publish(Countdown(event.0 - 1)).await?;
    }
    log.add(format!("{} up", event.0));
    Ok(())
}

#[test]
fn a_handler_may_publish_its_own_event_again() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(mediator.publish(Countdown(2))).unwrap();
    assert_eq!(log.entries(), ["2 down", "1 down", "0 down", "0 up", "1 up", "2 up"]);
}

#[test]
fn one_mediator_serves_publishes_that_overlap() {
    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    block_on(futures::future::try_join(mediator.publish(order("1")), mediator.publish(order("2")))).unwrap();
    let entries = log.entries();
    for id in ["1", "2"] {
        let own: Vec<_> =
            entries.iter().filter(|entry| entry.ends_with(id)).map(|entry| entry.replace(id, "1")).collect();
        assert_eq!(own, ONE_PUBLISH);
    }
}

#[test]
fn what_is_published_and_what_publishes_can_cross_threads() {
    fn crosses<T: Send>(value: T) -> T {
        value
    }
    fn shared<T: Send + Sync + 'static>() {}

    shared::<Mediator>();
    shared::<Publisher>();
    shared::<PublishError>();
    shared::<BuildError>();
    shared::<PendingEvents>();
    shared::<Box<dyn DynNotification>>();

    let log = Log::default();
    let mediator = Mediator::builder().provide(log.clone()).build().unwrap();
    let publisher = mediator.publisher();
    block_on(async {
        crosses(mediator.publish(order("1"))).await?;
        crosses(publisher.publish(order("1"))).await?;
        crosses(mediator.publish_all(vec![Box::new(order("1"))])).await?;
        crosses(publisher.publish_all(vec![Box::new(order("1"))])).await?;
        crosses(mediator.publish_with(&GroupEventPublisher, order("1"))).await?;
        crosses(publisher.publish_with(&SequentialEventPublisher, order("1"))).await
    })
    .unwrap();
    assert_eq!(log.entries().len(), 6 * ONE_PUBLISH.len());
}
