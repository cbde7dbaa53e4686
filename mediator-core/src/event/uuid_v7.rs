//! Where the ids of events come from.
//!
//! An id is a UUID of version 7: 48 bits of milliseconds, then 74 bits to fill. Here 12 of them are
//! a finer part of the clock, as RFC 9562 (6.2, method 3) has it, and 62 are pseudo-random. A call
//! of the operating system for the random bits would cost ten times as much as all the rest, so
//! each thread draws a key once, and takes the bits from the standard library's keyed hash.
//!
//! Ids grow within a thread: of those made in one tick of the clock, a quarter of a microsecond, or
//! while the clock goes back, each is a random step above the one before. Ids of different threads
//! or processes are equal only if 62 bits happen to be, in the same tick. Whoever sees some ids
//! cannot guess others, as far as the hash (`SipHash` today) keeps its key; as with every UUID of
//! this version the time is plain to see, and an id is no replacement for a secret.

use std::cell::RefCell;
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use uuid::Uuid;

/// A fresh UUID of version 7.
///
/// # Panics
///
/// If the operating system has no random bits to give.
#[must_use]
#[inline]
pub(super) fn new() -> Uuid {
    let Stamp { tick, random } = next();
    // Version 7 and the variant of the RFC stand between the bits.
    let high = ((tick >> 12) << 16) | 0x7000 | (tick & 0xfff);
    Uuid::from_u64_pair(high, 1 << 63 | random)
}

/// The bits of an id that are not fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    /// Milliseconds since 1970 and, in the lower 12 bits, 4096ths of one.
    tick: u64,
    /// 62 bits.
    random: u64,
}

fn next() -> Stamp {
    thread_local! {
        static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
    }
    let now = system::now();
    GENERATOR.with_borrow_mut(|generator| {
        let generator = match generator {
            // Another generation is that of a child process, which must not make the same ids.
            Some(generator) if generator.generation == system::generation() => generator,
            stale => stale.insert(Generator::seeded()),
        };
        generator.next(now)
    })
}

struct Generator {
    /// The process in which this was seeded.
    generation: u64,
    /// Has absorbed the key.
    hasher: DefaultHasher,
    last: Stamp,
}

impl Generator {
    fn seeded() -> Self {
        // If forks cannot be noticed, each id is from a generator of its own.
        let generation = if system::watch_forks() { system::generation() } else { u64::MAX };
        let mut hasher = RandomState::new().build_hasher();
        // `RandomState` asks the operating system for its key once per thread, so that alone would be
        // the same in a child process.
        hasher.write_u32(std::process::id());
        hasher.write_u64(generation);
        hasher.write_u128(system::now().as_nanos());
        Self { generation, hasher, last: Stamp { tick: 0, random: 0 } }
    }

    fn next(&mut self, now: Duration) -> Stamp {
        // Each hash is that of a longer message than all before.
        self.hasher.write_u64(0);
        self.last = self.last.successor(tick(now), self.hasher.finish());
        self.last
    }
}

fn tick(since_epoch: Duration) -> u64 {
    let (seconds, nanos) = (since_epoch.as_secs(), u64::from(since_epoch.subsec_nanos()));
    let millis = seconds.wrapping_mul(1_000).wrapping_add(nanos / 1_000_000);
    (millis << 12) | (((nanos % 1_000_000) << 12) / 1_000_000)
}

const RANDOM_BITS: u32 = 62;

impl Stamp {
    /// The stamp to follow this one: of the current tick if that is later, a random step above
    /// this one otherwise. About 64 steps fit a tick; more of them run ahead of the clock.
    fn successor(self, tick: u64, random: u64) -> Self {
        if tick > self.tick {
            return Self { tick, random: random >> 2 };
        }
        let random = self.random + 1 + (random >> 8);
        Self { tick: self.tick + (random >> RANDOM_BITS), random: random & ((1 << RANDOM_BITS) - 1) }
    }
}

/// What the operating system knows.
///
/// Unsafe, and outside of `dispatch`, since nothing safe tells a process that it is the copy of another, short
/// of a system call for each id; and `SystemTime`, which can only be subtracted, adds a quarter to the cost of an id.
#[cfg(all(unix, not(target_os = "emscripten")))]
#[allow(unsafe_code)]
mod system {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    /// The time since 1970.
    #[inline]
    pub(super) fn now() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid `timespec` to write to.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    static GENERATION: AtomicU64 = AtomicU64::new(0);

    /// A number that is another one in a child process, once [`watch_forks`] has returned true.
    #[inline]
    pub(super) fn generation() -> u64 {
        GENERATION.load(Ordering::Relaxed)
    }

    /// Starts to watch for forks; whether that was possible.
    ///
    /// A process that is copied by other means (a bare `clone` call, a snapshot of a virtual
    /// machine) is not noticed.
    pub(super) fn watch_forks() -> bool {
        static WATCHED: AtomicBool = AtomicBool::new(false);
        if WATCHED.load(Ordering::Relaxed) {
            return true;
        }
        // Two threads may both get here; being counted twice does no harm, where a lock that is
        // held during a fork would stay locked in the child.
        //
        // SAFETY: `pthread_atfork` asks of `forked` what may be done in the child of a process with
        // several threads, and atomic arithmetic may.
        let status = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        WATCHED.store(status == 0, Ordering::Relaxed);
        status == 0
    }

    extern "C" fn forked() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
}

/// As above, where no process is ever a copy of another.
#[cfg(not(all(unix, not(target_os = "emscripten"))))]
mod system {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    pub(super) fn now() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    pub(super) fn generation() -> u64 {
        0
    }

    pub(super) fn watch_forks() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RANDOM_BITS, Stamp, tick};

    #[test]
    fn a_tick_is_the_4096th_part_of_a_millisecond() {
        assert_eq!(tick(Duration::from_millis(1)), 1 << 12);
        assert_eq!(tick(Duration::from_nanos(1_500_000)), (1 << 12) + (1 << 11));
        assert_eq!(tick(Duration::new(1, 999_999_999)), (2_000 << 12) - 1);
    }

    #[test]
    fn stamps_grow_while_the_clock_stands_still_or_goes_back() {
        let first = Stamp { tick: 5, random: 7 };
        let second = first.successor(5, 0);
        let third = second.successor(4, 1 << 20);
        assert_eq!(second, Stamp { tick: 5, random: 8 });
        assert_eq!(third, Stamp { tick: 5, random: 9 + (1 << 12) });
        assert_eq!(third.successor(6, 0), Stamp { tick: 6, random: 0 });
    }

    #[test]
    fn a_tick_that_is_used_up_gives_way_to_the_next() {
        let last = Stamp { tick: 5, random: (1 << RANDOM_BITS) - 1 };
        assert_eq!(last.successor(5, 0), Stamp { tick: 6, random: 0 });
    }
}
