//! Ids of events: unique, ordered within a thread, and different in a child process.

use std::collections::HashSet;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use mediator_core::Uuid;
use mediator_core::prelude::*;

#[event]
struct Ticked;

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Ticked::new().event_id.as_uuid()).collect()
}

#[test]
fn ids_are_of_version_7() {
    for id in ids(1_000) {
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_bytes()[8] >> 6, 0b10, "the variant of RFC 9562");
    }
}

#[test]
fn ids_carry_the_time_of_creation() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let before = now();
    let millis = Ticked::new().event_id.as_uuid().as_u128() >> 80;
    assert!((before..=now()).contains(&millis), "{millis} is not now");
}

#[test]
fn ids_grow_within_a_thread() {
    assert!(ids(100_000).is_sorted_by(|earlier, later| earlier < later));
}

#[test]
fn ids_of_one_tick_differ_in_more_than_a_counter() {
    let ids = ids(1_000);
    let steps: HashSet<_> = ids.windows(2).map(|pair| pair[1].as_u128() - pair[0].as_u128()).collect();
    assert_eq!(steps.len(), ids.len() - 1);
}

/// Ten million ids in release builds.
#[test]
fn ids_of_eight_threads_differ() {
    let of_each = if cfg!(debug_assertions) { 50_000 } else { 1_250_000 };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(move || ids(of_each))).collect();
    let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(all.len(), 8 * of_each);
    all.sort_unstable();
    assert!(all.is_sorted_by(|one, next| one < next), "an id was made twice");
}

#[cfg(unix)]
#[test]
fn a_child_process_makes_other_ids() {
    // Made before the fork, so that the child inherits a generator that is in use.
    let inherited = ids(1)[0];
    let childs = in_child_process(|| ids(1)[0]);
    let own = ids(1)[0];
    let random = |id: Uuid| id.as_u128() & ((1 << 62) - 1);
    assert_ne!(random(childs), random(own));
    assert!(childs > inherited, "time passes for the child too");
}

/// What `make` returns in a copy of this process.
#[cfg(unix)]
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
