//! What the macros make of an event, and events made by hand.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_tests::{Log, On, many};
use serde::{Deserialize, Serialize};

/// An event with everything an item can have.
#[event]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The order.
    pub order_id: String,
    /// Who placed it.
    #[serde(rename = "who")]
    pub(crate) customer: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<(String, u32)>,
}

fn order() -> OrderPlaced {
    OrderPlaced::new("o-1".into(), "c-1".into(), vec![("tea".into(), 2)])
}

#[test]
fn new_takes_the_declared_fields_in_order_and_gives_an_id() {
    let event = order();
    assert_eq!((&*event.order_id, &*event.customer, &event.lines[0].0[..]), ("o-1", "c-1", "tea"));
    assert_eq!(event.event_id.as_uuid().get_version_num(), 7);
    assert_eq!(event.event_id(), event.event_id);
    assert_eq!(event.notification_id(), Some(event.event_id));
}

#[test]
fn two_events_are_equal_only_if_their_ids_are() {
    let event = order();
    assert_eq!(event, event.clone());
    let other = order();
    assert_ne!(event, other);
    assert_eq!(event, OrderPlaced { event_id: event.event_id, ..other });
}

#[test]
fn ids_tell_the_time_and_sort_by_it() {
    let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let ids: Vec<_> = (0..many(1_000)).map(|_| order().event_id).collect();
    assert!(ids.is_sorted_by(|earlier, later| earlier < later), "ids are distinct and in the order of their making");
    let (seconds, nanos) = ids[0].as_uuid().get_timestamp().unwrap().to_unix();
    let made = Duration::new(seconds, nanos);
    assert!(made + Duration::from_millis(1) >= before && made <= before + Duration::from_secs(60), "{made:?}");
}

#[test]
fn fields_keep_their_attributes_through_a_serde_round_trip() {
    let event = order();
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "eventId": event.event_id.to_string(),
            "orderId": "o-1",
            "who": "c-1",
            "lines": [["tea", 2]],
        })
    );
    assert_eq!(serde_json::from_value::<OrderPlaced>(json).unwrap(), event);
}

#[test]
fn an_event_that_was_read_back_keeps_its_id_on_its_way_to_the_handlers() {
    let event = order();
    let text = serde_json::to_string(&event).unwrap();
    let seen = Log::default();
    let log = seen.clone();
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<OrderPlaced, _>(On(move |event: &OrderPlaced| {
            log.add(event.event_id.to_string());
            async {}
        }))
        .build()
        .unwrap();
    block_on(mediator.publish(serde_json::from_str::<OrderPlaced>(&text).unwrap())).unwrap();
    assert_eq!(seen.entries(), [event.event_id.to_string()]);
}

/// Without fields.
#[event]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Started;

/// Without fields, in braces.
#[event]
pub struct Stopped {}

#[test]
fn unit_structs_are_events_too() {
    assert_ne!(Started::new(), Started::new());
    assert!(Started::new() < Started::new());
    assert_eq!(Stopped::new().event_id.as_uuid().get_version_num(), 7);
}

/// Something came into being.
#[event]
#[derive(Debug, Clone)]
pub struct Created<T>
where
    T: Clone,
{
    /// What did.
    pub entity: T,
}

/// With all kinds of generics.
#[event(name = "changed")]
pub struct Changed<T: Into<u64> + Copy, K = String, const N: usize = 2> {
    /// Before and after.
    pub values: [T; N],
    /// Where.
    pub by_key: HashMap<K, T>,
}

#[derive(Clone)]
struct User(&'static str);

#[derive(Clone)]
struct Invoice(u32);

#[test]
fn a_generic_event_has_handlers_for_each_concrete_type() {
    let log = Log::default();
    let (users, invoices, changes) = (log.clone(), log.clone(), log.clone());
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<Created<User>, _>(On(move |event: &Created<User>| {
            users.add(format!("user {}", event.entity.0));
            async {}
        }))
        .bind_handler::<Created<Invoice>, _>(On(move |event: &Created<Invoice>| {
            invoices.add(format!("invoice {}", event.entity.0));
            async {}
        }))
        .bind_handler::<Changed<u32>, _>(On(move |event: &Changed<u32>| {
            changes.add(format!("{:?} {}", event.values, event.by_key.len()));
            async {}
        }))
        .build()
        .unwrap();
    block_on(async {
        mediator.publish(Created::new(Invoice(7))).await?;
        mediator.publish(Created::new(User("Ada"))).await?;
        mediator.publish(Created::new(8_u8)).await?;
        mediator.publish(Changed::<u32>::new([1, 2], HashMap::new())).await?;
        mediator.publish(Changed::<u8, u8, 0>::new([], HashMap::new())).await
    })
    .unwrap();
    assert_eq!(log.entries(), ["invoice 7", "user Ada", "[1, 2] 0"]);
}

/// Named for good.
#[event(name = "orders.cancelled", new = false)]
pub struct OrderCancelled {
    reason: &'static str,
}

impl OrderCancelled {
    fn new(reason: &'static str) -> Self {
        Self { event_id: Uuid::nil().into(), reason }
    }
}

#[test]
fn options_set_the_name_and_leave_the_constructor_to_the_user() {
    let event = OrderCancelled::new("no stock");
    assert_eq!((OrderCancelled::event_name(), event.reason), ("orders.cancelled", "no stock"));
    assert_eq!(event.event_id(), Uuid::nil().into());
    assert_eq!(OrderPlaced::event_name(), "behavior::events::OrderPlaced");
}

/// Of two types.
#[derive(Notification)]
pub struct Exchanged<A, B>(pub A, pub B);

#[test]
fn the_name_of_a_generic_event_includes_its_arguments() {
    assert_eq!(Created::<User>::event_name(), "behavior::events::Created<behavior::events::User>");
    assert_eq!(Created::<Vec<u8>>::event_name(), "behavior::events::Created<alloc::vec::Vec<u8>>");
    assert_eq!(Exchanged::<u8, &'static str>::event_name(), "behavior::events::Exchanged<u8, &str>");
    assert_eq!(Changed::<u8>::event_name(), "changed");
}

/// A raw name.
#[event]
struct r#Loop {
    r#type: u8,
}

#[test]
fn raw_identifiers_are_names_like_any_other() {
    assert_eq!(r#Loop::new(3).r#type, 3);
    assert_eq!(r#Loop::event_name(), "behavior::events::Loop");
}

/// Defines its own id.
#[derive(Notification)]
#[notification(name = "stock.counted")]
pub struct StockCounted(pub SystemTime);

/// So is this one's, which is an enum.
#[derive(Notification)]
pub enum Door {
    /// Ajar.
    Open,
    /// Locked.
    Closed {
        /// By whom.
        by: String,
    },
}

/// By hand.
pub struct CacheWarmed;

impl Notification for CacheWarmed {}

/// By hand, with an id.
pub struct Imported(EventId);

impl Notification for Imported {
    fn event_name() -> &'static str {
        "imported"
    }

    fn notification_id(&self) -> Option<EventId> {
        Some(self.event_id())
    }
}

impl Event for Imported {
    fn event_id(&self) -> EventId {
        self.0
    }
}

#[test]
fn notifications_have_a_name_and_no_id_unless_they_say_so() {
    let id = EventId::from(Uuid::from_u128(7));
    let notifications: Vec<Box<dyn DynNotification>> = vec![
        Box::new(StockCounted(SystemTime::now())),
        Box::new(Door::Open),
        Box::new(Door::Closed { by: "Ada".into() }),
        Box::new(CacheWarmed),
        Box::new(Imported(id)),
    ];
    let known: Vec<_> = notifications.iter().map(|event| (event.event_name(), event.event_id())).collect();
    assert_eq!(
        known,
        [
            ("stock.counted", None),
            ("behavior::events::Door", None),
            ("behavior::events::Door", None),
            ("behavior::events::CacheWarmed", None),
            ("imported", Some(id)),
        ]
    );
    assert!(notifications[0].downcast_ref::<StockCounted>().is_some());
    assert!(notifications[0].downcast_ref::<Door>().is_none());
    assert_eq!(format!("{:?}", notifications[3]), "behavior::events::CacheWarmed");
    assert_eq!(format!("{:?}", notifications[4]), format!("imported({id})"));
}

#[test]
fn handmade_notifications_are_published_like_any_other() {
    let log = Log::default();
    let (warmed, imported) = (log.clone(), log.clone());
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<CacheWarmed, _>(On(move |_: &CacheWarmed| {
            warmed.add("warmed");
            async {}
        }))
        .bind_handler::<Imported, _>(On(move |_: &Imported| {
            imported.add("imported");
            async { Err::<(), _>("unreadable") }
        }))
        .build()
        .unwrap();
    block_on(mediator.publish(CacheWarmed)).unwrap();
    let id = EventId::new();
    let error = block_on(mediator.publish(Imported(id))).unwrap_err();
    assert_eq!((error.event_name(), error.event_id()), ("imported", Some(id)));
    assert_eq!(log.entries(), ["warmed", "imported"]);
}

mod elsewhere {
    /// Only `pub` things of it can be seen from outside, such as the id and `new`.
    #[mediator_core::event]
    pub(super) struct Guarded {
        secret: u32,
    }

    impl Guarded {
        pub(super) fn reveal(&self) -> u32 {
            self.secret
        }
    }
}

#[test]
fn the_id_and_new_are_visible_wherever_the_event_is() {
    let event = elsewhere::Guarded::new(7);
    assert_eq!((event.reveal(), event.event_id.as_uuid().get_version_num()), (7, 7));
}

/// With fields that depend on the configuration.
#[event]
pub struct Configured {
    /// Always there.
    pub always: u8,
    /// Never there.
    #[cfg(any())]
    pub never: Missing,
    /// There as well.
    #[cfg(not(any()))]
    pub too: u8,
}

#[test]
fn fields_may_depend_on_the_configuration() {
    let event = Configured::new(1, 2);
    assert_eq!((event.always, event.too), (1, 2));
}

mod redirected {
    /// Where the runtime is for those who only depend on this module.
    pub(crate) mod reexported {
        pub(crate) use mediator_core as runtime;
    }

    /// Declared through it.
    #[super::event(crate = crate::events::redirected::reexported::runtime)]
    pub(crate) struct Moved {
        pub(crate) from: u8,
    }
}

#[test]
fn the_runtime_may_be_reached_by_another_path() {
    assert_eq!(redirected::Moved::new(7).from, 7);
    assert_eq!(redirected::Moved::event_name(), "behavior::events::redirected::Moved");
}
