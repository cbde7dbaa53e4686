//! What grows with the number of handlers, event types, registrations and threads.

use std::hint::{black_box, spin_loop};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use std::{fs, io};

use futures::stream::{FuturesUnordered, StreamExt};
use mediator_core::{EventHandler, GroupEventPublisher, Mediator, MediatorBuilder, Notification, Publisher};

use crate::measure::{ROUNDS, block_on, quartiles, timed, times_per_round};
use crate::work::{At, Collect, OrderPlaced, Total, builder, handles};

type One = At<(), 0>;

/// Ten thousand types from four digits: each of these names ten, and calls the one above for each.
macro_rules! per_digit {
    ($(#[$meta:meta])* $name:ident => $next:ident) => {
        $(#[$meta])*
        fn $name<B: 'static>(into: MediatorBuilder) -> MediatorBuilder {
            let into = $next::<At<B, 0>>(into);
            let into = $next::<At<B, 1>>(into);
            let into = $next::<At<B, 2>>(into);
            let into = $next::<At<B, 3>>(into);
            let into = $next::<At<B, 4>>(into);
            let into = $next::<At<B, 5>>(into);
            let into = $next::<At<B, 6>>(into);
            let into = $next::<At<B, 7>>(into);
            let into = $next::<At<B, 8>>(into);
            $next::<At<B, 9>>(into)
        }
    };
}

mod handlers {
    use super::*;

    fn one<N: 'static>(into: MediatorBuilder) -> MediatorBuilder {
        into.ready::<N>()
    }
    per_digit!(ten => one);
    per_digit!(hundred => ten);
    per_digit!(thousand => hundred);
    #[cfg(feature = "ten-thousand")]
    per_digit!(ten_thousand => thousand);

    pub fn bind(count: usize) -> MediatorBuilder {
        match count {
            1 => one::<One>(builder()),
            10 => ten::<One>(builder()),
            100 => hundred::<One>(builder()),
            #[cfg(feature = "ten-thousand")]
            10_000 => ten_thousand::<One>(builder()),
            _ => thousand::<One>(builder()),
        }
    }
}

mod events {
    use super::*;

    struct Numbered<N>(u64, PhantomData<fn() -> N>);

    impl<N: 'static> Notification for Numbered<N> {}

    struct Handler(Total);

    impl<N: 'static> EventHandler<Numbered<N>> for Handler {
        async fn handle(&self, event: &Numbered<N>) {
            self.0.add(&OrderPlaced::new(event.0));
        }
    }

    fn one<N: 'static>(into: MediatorBuilder) -> MediatorBuilder {
        into.bind::<Numbered<N>, Handler>()
    }
    per_digit!(ten => one);
    per_digit!(hundred => ten);
    per_digit!(thousand => hundred);
    #[cfg(feature = "ten-thousand")]
    per_digit!(ten_thousand => thousand);

    impl mediator_core::Inject for Handler {
        fn inject(_services: &mediator_core::Services<'_>) -> Result<Self, mediator_core::InjectError> {
            Ok(Self(Total::default()))
        }
    }

    pub fn bind(count: usize, into: MediatorBuilder) -> MediatorBuilder {
        match count {
            1 => one::<One>(into),
            10 => ten::<One>(into),
            100 => hundred::<One>(into),
            #[cfg(feature = "ten-thousand")]
            10_000 => ten_thousand::<One>(into),
            _ => thousand::<One>(into),
        }
    }
}

#[cfg(feature = "ten-thousand")]
pub const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
#[cfg(not(feature = "ten-thousand"))]
pub const COUNTS: [usize; 4] = [1, 10, 100, 1_000];

/// Nanoseconds per handler of one event.
pub fn per_handler(count: usize) -> f64 {
    let mediator = handlers::bind(count).build().expect("no two alike");
    best(100_000 / count + 1, |times| publish(&mediator, times)) / count as f64
}

/// Nanoseconds per publish to four handlers, among so many other event types.
pub fn among_event_types(count: usize) -> f64 {
    let mediator = events::bind(count, crate::work::four_ready(builder())).build().expect("no two alike");
    best(10_000, |times| publish(&mediator, times))
}

/// Milliseconds of `build` with so many registrations.
pub fn build_millis(count: usize) -> f64 {
    let mut millis = Vec::new();
    for _ in 0..9 {
        let builder = events::bind(count, builder());
        let start = Instant::now();
        let mediator = builder.build().expect("no two alike");
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        drop(mediator);
    }
    quartiles(millis)[1]
}

fn publish(mediator: &Mediator, times: u64) {
    block_on(async {
        for quantity in 0..times {
            mediator.publish(OrderPlaced::new(quantity)).await.expect("no handler fails");
        }
    });
}

fn best(times: usize, mut run: impl FnMut(u64)) -> f64 {
    let nanos: Vec<_> = (0..31).map(|_| timed(&mut run, times as u64)).collect();
    quartiles(nanos)[0]
}

thread_local! {
    /// A thread has totals of its own, far from those of others, so that handlers share no cache line.
    static TOTALS: [Total; 4] = const { [const { Total::new() }; 4] };
}

fn add<const NUMBER: usize>(event: &OrderPlaced) -> io::Result<()> {
    TOTALS.with(|totals| totals[NUMBER].add(event));
    Ok(())
}

struct Adding<const NUMBER: usize>;

impl<const NUMBER: usize> EventHandler<OrderPlaced> for Adding<NUMBER> {
    async fn handle(&self, event: &OrderPlaced) -> io::Result<()> {
        add::<NUMBER>(event)
    }
}

pub struct Threads {
    pub name: &'static str,
    /// Per publish, of one thread alone.
    pub nanos: f64,
    /// How many times the publishes of one thread two threads make.
    pub throughput: f64,
    /// Of the throughput to that of the first row: lower quartile, median, upper quartile.
    pub ratio: [f64; 3],
}

pub type Shared<'a> = (&'static str, &'a (dyn Fn(u64) + Sync));

/// Publishes to handlers that share nothing.
pub fn publishing() -> Option<Vec<Threads>> {
    let functions: Vec<fn(&OrderPlaced) -> io::Result<()>> = black_box(vec![add::<0>, add::<1>, add::<2>, add::<3>]);
    let adding = builder()
        .bind_handler::<OrderPlaced, _>(Adding::<0>)
        .bind_handler::<OrderPlaced, _>(Adding::<1>)
        .bind_handler::<OrderPlaced, _>(Adding::<2>)
        .bind_handler::<OrderPlaced, _>(Adding::<3>);
    let (mediator, publisher, injected) = handles(adding);
    two_threads([
        ("loop over four sync function pointers", &|times| {
            for quantity in 0..times {
                let event = OrderPlaced::new(quantity);
                functions.iter().try_for_each(|call| call(&event)).expect("no handler fails");
            }
        }),
        ("a `Mediator`", &|times| publish(&mediator, times)),
        ("a `Publisher`", &|times| publish_through(&publisher, times)),
        ("an injected `Publisher`", &|times| publish_through(&injected, times)),
    ])
}

/// One thread and two; `None` if another program hardly ever let two run.
pub fn two_threads<const COUNT: usize>(candidates: [Shared<'_>; COUNT]) -> Option<Vec<Threads>> {
    // A new thread may share a hardware thread with the first for a while, which short rounds would not outlast.
    let candidates = candidates.map(|(name, run)| (name, run, 20 * times_per_round(&mut |times| run(times))));
    let round =
        || candidates.iter().map(|(_, run, times)| Some([parallel(1, run, *times)?, parallel(2, run, *times)?]));
    let rounds: Vec<Vec<_>> = (0..10 * ROUNDS).filter_map(|_| round().collect()).take(ROUNDS).collect();
    let throughput = |[one, two]: [f64; 2]| 2.0 * one / two;
    let row = |(index, (name, ..)): (usize, &(&'static str, _, _))| Threads {
        name,
        nanos: quartiles(rounds.iter().map(|round| round[index][0]).collect())[1],
        throughput: quartiles(rounds.iter().map(|round| throughput(round[index])).collect())[1],
        ratio: quartiles(rounds.iter().map(|round| throughput(round[index]) / throughput(round[0])).collect()),
    };
    (rounds.len() == ROUNDS).then(|| candidates.iter().enumerate().map(row).collect())
}

fn publish_through(publisher: &Publisher, times: u64) {
    block_on(async {
        for quantity in 0..times {
            publisher.publish(OrderPlaced::new(quantity)).await.expect("no handler fails");
        }
    });
}

/// Nanoseconds for each of the times, from the start of the first thread to the end of the last; `None` if
/// one had to wait for a hardware thread: any two candidates that take turns on one scale alike.
fn parallel(threads: usize, run: &(dyn Fn(u64) + Sync), times: u64) -> Option<f64> {
    let ready = AtomicUsize::new(0);
    let span = || {
        ready.fetch_add(1, Ordering::Relaxed);
        // A barrier that sleeps would wake them one after the other.
        while ready.load(Ordering::Relaxed) < threads {
            spin_loop();
        }
        let (waited, start) = (nanos_waited(), Instant::now());
        run(times);
        let end = Instant::now();
        (nanos_waited() - waited < (end - start).as_nanos() / 20).then_some((start, end))
    };
    let spans: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(span)).collect();
        let own = span();
        let others = others.into_iter().map(|thread| thread.join().expect("no panic"));
        others.chain([own]).collect::<Option<_>>()
    })?;
    let start = spans.iter().map(|(start, _)| *start).min()?;
    let end = spans.iter().map(|(_, end)| *end).max()?;
    Some((end - start).as_nanos() as f64 / times as f64)
}

/// For how long this thread was ready to run and did not, where Linux tells; 0 elsewhere.
fn nanos_waited() -> u128 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// Waits for a wake that never ends it, and keeps the waker for the benchmark.
struct Waiting {
    waker: Mutex<Option<Waker>>,
}

struct Wait<'a>(&'a Waiting);

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = self.0.waker.lock().expect("no panic");
        match &*waker {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

struct Waits<N>(&'static Waiting, PhantomData<fn() -> N>);

impl<N: 'static> EventHandler<OrderPlaced> for Waits<N> {
    async fn handle(&self, _event: &OrderPlaced) {
        Wait(self.0).await;
    }
}

mod waits {
    use super::*;

    thread_local! {
        static MADE: std::cell::RefCell<Vec<&'static Waiting>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    fn one<N: 'static>(into: MediatorBuilder) -> MediatorBuilder {
        let waiting: &Waiting = Box::leak(Box::new(Waiting { waker: Mutex::new(None) }));
        MADE.with_borrow_mut(|made| made.push(waiting));
        into.bind_handler::<OrderPlaced, _>(Waits::<N>(waiting, PhantomData))
    }
    per_digit!(ten => one);
    per_digit!(hundred => ten);
    per_digit!(thousand => hundred);

    pub fn bind(count: usize) -> (MediatorBuilder, Vec<&'static Waiting>) {
        MADE.take();
        let builder = match count {
            10 => ten::<One>(builder()),
            100 => hundred::<One>(builder()),
            _ => thousand::<One>(builder()),
        };
        (builder, MADE.take())
    }
}

pub const PENDING: [usize; 3] = [10, 100, 1_000];

/// Nanoseconds of a wake of one handler and the poll that follows, while so many are pending: of a
/// group, and of `FuturesUnordered`.
pub fn per_wake(pending: usize) -> [f64; 2] {
    let (builder, waiting) = waits::bind(pending);
    let mediator = builder.event_publisher(GroupEventPublisher).build().expect("no two alike");
    let group = wakes(mediator.publish(OrderPlaced::new(1)), &waiting);
    let mut futures: FuturesUnordered<_> = waiting.iter().map(|waiting| Box::pin(Wait(waiting))).collect();
    let unordered = wakes(async move { while futures.next().await.is_some() {} }, &waiting);
    [group, unordered]
}

fn wakes<T>(future: impl Future<Output = T>, waiting: &[&Waiting]) -> f64 {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    // A group changes to wakers of the handlers' own after a few passes.
    for _ in 0..16 {
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    let mut next = 0;
    best(20_000, |times| {
        for _ in 0..times {
            next = (next + 7) % waiting.len();
            let waker = waiting[next].waker.lock().expect("no panic").clone();
            waker.expect("polled before").wake();
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
    })
}
