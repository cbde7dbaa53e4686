//! Ids of events: unique, ordered within a thread, and different in a child process; and what they convert from and into.

use std::collections::HashSet;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use mediator_core::ParseEventIdError;
use mediator_core::prelude::*;
use mediator_tests::many;
use serde::{Deserialize, Serialize};

#[event]
#[derive(Default)]
struct Ticked;

fn id() -> Uuid {
    Ticked::new().event_id.as_uuid()
}

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| id()).collect()
}

#[test]
fn ids_are_of_version_7() {
    for id in ids(many(1_000)) {
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_bytes()[8] >> 6, 0b10, "the variant of RFC 9562");
    }
}

#[test]
fn ids_carry_the_time_of_creation() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let before = now();
    let millis = id().as_u128() >> 80;
    assert!((before..=now()).contains(&millis), "{millis} is not now");
}

#[test]
fn ids_grow_within_a_thread() {
    assert!(ids(many(100_000)).is_sorted_by(|earlier, later| earlier < later));
}

#[test]
fn ids_of_one_tick_differ_in_more_than_a_counter() {
    let ids = ids(many(1_000));
    let steps: HashSet<_> = ids.windows(2).map(|pair| pair[1].as_u128() - pair[0].as_u128()).collect();
    assert_eq!(steps.len(), ids.len() - 1);
}

/// Ten million ids in release builds.
#[test]
fn ids_of_eight_threads_differ() {
    let of_each = many(if cfg!(debug_assertions) { 50_000 } else { 1_250_000 });
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(move || ids(of_each))).collect();
    let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(all.len(), 8 * of_each);
    all.sort_unstable();
    assert!(all.is_sorted_by(|one, next| one < next), "an id was made twice");
}

#[test]
fn whatever_makes_an_id_makes_a_fresh_one() {
    let ids = [
        EventId::new(),
        EventId::default(),
        Ticked::new().event_id,
        Ticked::default().event_id,
        Ticked { ..Default::default() }.event_id,
        Ticked { event_id: EventId::new() }.event_id,
    ];
    assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{ids:?}");
}

/// An order of two texts that are easily confused.
#[event]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OrderPlaced {
    order_id: String,
    customer_id: String,
}

#[test]
fn an_event_can_be_a_literal_with_names() {
    let order = OrderPlaced { event_id: EventId::new(), order_id: "o-1".into(), customer_id: "c-1".into() };
    let other = OrderPlaced { order_id: "o-1".into(), customer_id: "c-1".into(), ..Default::default() };
    assert_ne!(order, other, "each has an id of its own");
    assert_eq!(order, OrderPlaced { event_id: order.event_id, ..other });
}

#[test]
fn an_event_that_is_read_without_an_id_gets_a_fresh_one() {
    let read = || serde_json::from_str::<OrderPlaced>(r#"{"orderId":"o-1"}"#).unwrap();
    let (one, other) = (read(), read());
    assert_eq!((&*one.order_id, &*one.customer_id), ("o-1", ""));
    assert!(one.event_id < other.event_id);
}

#[test]
fn an_id_serializes_as_the_uuid() {
    let event = OrderPlaced::new("o-1".into(), "c-1".into());
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["eventId"], serde_json::to_value(event.event_id.as_uuid()).unwrap());
    assert_eq!(serde_json::from_value::<OrderPlaced>(json).unwrap(), event);
}

#[test]
fn an_id_converts_from_and_into_a_uuid_and_a_text() {
    let id = EventId::new();
    assert_eq!((EventId::from(id.as_uuid()), Uuid::from(id)), (id, id.as_uuid()));
    assert_eq!((id.to_string(), format!("{id:?}")), (id.as_uuid().to_string(), id.as_uuid().to_string()));
    assert_eq!(id.to_string().parse(), Ok(id));
    let error: ParseEventIdError = "o-1".parse::<EventId>().unwrap_err();
    assert_eq!(error.to_string(), "an event id is a UUID");
    assert!(std::error::Error::source(&error).is_some(), "the place of the mistake");
}

#[cfg(all(unix, not(miri)))]
#[test]
fn a_child_process_makes_other_ids() {
    // Made before the fork, so that the child inherits a generator that is in use.
    let inherited = id();
    let childs = in_child_process(id);
    let own = id();
    let random = |id: Uuid| id.as_u128() & ((1 << 62) - 1);
    assert_ne!(random(childs), random(own));
    assert!(childs > inherited, "time passes for the child too");
}

/// What `make` returns in a copy of this process.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "nothing safe forks")]
fn in_child_process(make: impl FnOnce() -> Uuid) -> Uuid {
    use std::io::{Read, Write};

    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // SAFETY: the child does nothing but make an id, write it and exit; it takes no lock that
    // another thread may have held.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no child process");
    if child == 0 {
        let written = writer.write_all(make().as_bytes());
        // SAFETY: ends the child here, where the test harness must not go on in it.
        unsafe { libc::_exit(i32::from(written.is_err())) };
    }
    drop(writer);
    let mut id = [0; 16];
    reader.read_exact(&mut id).unwrap();
    // SAFETY: waits for the child made above, and does not ask for its status.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Uuid::from_bytes(id)
}
