//! Times and allocations of candidates that do the same work.
//!
//! A harness of its own, because the figures that count are ratios: all candidates of a table take
//! turns in short rounds, so that what else the machine does hits all of them, and the ratio is the
//! median over the rounds' ratios. Divan, which `cargo bench` runs on the same candidates, measures
//! one after the other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Runs a future that never waits for anything but to be polled again.
#[inline(always)]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
}

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The allocator to count with.
pub struct Counting;

// SAFETY: does what `System` does; counting touches no memory but a thread-local integer.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: passed on as it is.
        unsafe { System.dealloc(block, layout) }
    }
}

pub struct Table {
    pub title: &'static str,
    pub candidates: Vec<(String, Candidate)>,
}

pub type Candidate = Box<dyn FnMut(u64)>;

pub struct Row {
    pub name: String,
    pub nanos: f64,
    /// To the first row: lower quartile, median, upper quartile.
    pub ratio: [f64; 3],
    pub allocations: f64,
}

pub const ROUNDS: usize = 41;
const ROUND_NANOS: f64 = 250_000.0;

impl Table {
    pub fn new(title: &'static str) -> Self {
        Self { title, candidates: Vec::new() }
    }

    /// A candidate does its work so many times per call. The first is what the others are compared
    /// with.
    pub fn add(&mut self, name: impl Into<String>, run: impl FnMut(u64) + 'static) {
        self.candidates.push((name.into(), Box::new(run)));
    }

    pub fn measure(mut self) -> (String, Vec<Row>) {
        let times: Vec<u64> = self.candidates.iter_mut().map(|(_, run)| times_per_round(run)).collect();
        let mut nanos = vec![Vec::new(); times.len()];
        for _ in 0..ROUNDS {
            for (index, (_, run)) in self.candidates.iter_mut().enumerate() {
                nanos[index].push(timed(run, times[index]));
            }
        }
        let rows = self.candidates.iter_mut().zip(&nanos).map(|((name, run), own)| {
            let ratios = own.iter().zip(&nanos[0]).map(|(own, first)| own / first).collect();
            let before = ALLOCATIONS.get();
            run(100);
            let allocations = (ALLOCATIONS.get() - before) as f64 / 100.0;
            Row { name: name.clone(), nanos: quartiles(own.clone())[1], ratio: quartiles(ratios), allocations }
        });
        (self.title.to_owned(), rows.collect())
    }
}

pub fn times_per_round(run: &mut dyn FnMut(u64)) -> u64 {
    run(1);
    let nanos = timed(run, 10).max(1.0);
    let nanos = timed(run, (ROUND_NANOS / nanos).max(1.0) as u64).max(0.5);
    (ROUND_NANOS / nanos).max(1.0) as u64
}

pub fn timed(run: &mut (impl FnMut(u64) + ?Sized), times: u64) -> f64 {
    let start = Instant::now();
    run(times);
    start.elapsed().as_nanos() as f64 / times as f64
}

pub fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values.len() / 4, values.len() / 2, values.len() * 3 / 4].map(|index| values[index])
}
