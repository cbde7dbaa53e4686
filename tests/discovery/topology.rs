//! Who handles what, as a table, as pictures and as data.
#![allow(missing_docs)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;

trait Mailer: Send + Sync {}

struct Smtp;

impl Mailer for Smtp {}

#[event(name = "orders.placed")]
struct OrderPlaced {}

#[event]
struct OrderCancelled {}

#[event]
struct Created<T> {
    _what: T,
}

struct CacheWarmed;

impl Notification for CacheWarmed {}

#[event_handler(OrderPlaced, after = reserve_stock)]
struct SendEmail {
    mailer: Arc<dyn Mailer>,
    publisher: Publisher,
    #[inject(default)]
    _sent: Mutex<u32>,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) {
        _ = (&self.mailer, &self.publisher);
    }
}

#[event_handler]
async fn reserve_stock(_event: &OrderPlaced, seen: Seen, mediator: Mediator) {
    *seen.lock().unwrap() = mediator.topology().to_string();
}

#[event_handler(OrderPlaced, Created<String>, order = -1, name = "audit \"log\"")]
struct Audit;

impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, _event: &OrderPlaced) {}
}

impl EventHandler<Created<String>> for Audit {
    async fn handle(&self, _event: &Created<String>) {}
}

struct WarmUp;

impl EventHandler<CacheWarmed> for WarmUp {
    async fn handle(&self, _event: &CacheWarmed) {}
}

type Seen = Arc<Mutex<String>>;

fn mediator(seen: &Seen) -> Mediator {
    Mediator::builder()
        .provide(Arc::new(Smtp) as Arc<dyn Mailer>)
        .provide(seen.clone())
        .bind_handler::<CacheWarmed, _>(Arc::new(WarmUp))
        .event_publisher(GroupEventPublisher)
        .build()
        .unwrap()
}

#[test]
fn the_table_shows_every_event_and_its_handlers_in_order() {
    insta::assert_snapshot!(mediator(&Seen::default()).topology());
}

#[test]
fn the_mermaid_flowchart_groups_by_crate() {
    insta::assert_snapshot!(mediator(&Seen::default()).topology().to_mermaid());
}

#[test]
fn the_graphviz_picture_groups_by_crate() {
    insta::assert_snapshot!(mediator(&Seen::default()).topology().to_dot());
}

#[test]
fn the_data_has_the_documented_shape() {
    let data = serde_json::to_string_pretty(mediator(&Seen::default()).topology()).unwrap();
    insta::assert_snapshot!(data);
}

#[test]
#[ignore = "needs graphviz: apt-get install graphviz"]
fn graphviz_draws_every_event_and_handler() {
    let mut dot = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("install graphviz: apt-get install graphviz");
    let picture = mediator(&Seen::default()).topology().to_dot();
    dot.stdin.take().unwrap().write_all(picture.as_bytes()).unwrap();
    let output = dot.wait_with_output().unwrap();
    assert!(output.status.success());
    let svg = String::from_utf8(output.stdout).unwrap();
    for name in ["orders.placed", "OrderCancelled", "Created&lt;String&gt;", "audit &quot;log&quot;", "SendEmail"] {
        assert!(svg.contains(name), "{name} is not in {svg}");
    }
}

#[test]
fn a_topology_knows_names_places_positions_and_services() {
    let mediator = mediator(&Seen::default());
    let events = mediator.topology().events();
    let placed = events.iter().find(|event| event.event().name() == "orders.placed").unwrap();
    assert_eq!(placed.event().type_name(), concat!(module_path!(), "::OrderPlaced"));
    assert_eq!(placed.event().crate_name(), "topology");
    assert_eq!(placed.event().location().unwrap().file(), file!());
    assert!(placed.strategy().ends_with("::GroupEventPublisher"));
    let positions: Vec<_> = placed.handlers().iter().map(|node| (node.position(), node.handler().name())).collect();
    assert_eq!(
        positions,
        [
            (1, "audit \"log\""),
            (2, concat!(module_path!(), "::reserve_stock")),
            (3, concat!(module_path!(), "::SendEmail")),
        ]
    );
    let fields: Vec<_> = placed.handlers()[2].services().iter().map(|service| service.field().unwrap()).collect();
    assert_eq!(fields, ["mailer", "publisher"]);
    assert!(events.iter().any(|event| event.event().name().ends_with("OrderCancelled") && event.handlers().is_empty()));
}

#[test]
fn a_mediator_that_was_injected_knows_the_topology_too() {
    let seen = Seen::default();
    let mediator = mediator(&seen);
    block_on(mediator.publish(OrderPlaced::new())).unwrap();
    assert_eq!(*seen.lock().unwrap(), mediator.topology().to_string());
    assert!(seen.lock().unwrap().contains("SendEmail"));
}
