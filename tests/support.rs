//! What several test files share.
#![allow(missing_docs, clippy::missing_panics_doc)]

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures::channel::oneshot;
use futures::future::{FutureExt, Shared};
use mediator_core::{
    Deliveries, EventHandler, EventPublisher, HandlerFuture, HandlerInfo, MediatorBuilder, Notification, PublishError,
};

/// Binds ten handlers of types of their own for each of the `tens`: `Handler<0>`, `Handler<1>` and so on.
#[macro_export]
macro_rules! bind_tens {
    ($builder:expr, $event:ty, $handler:ident($value:expr), $($tens:literal)*) => {{
        let builder = $builder;
        $(let builder = $crate::bind_tens!(@ones builder, $event, $handler($value), $tens, 0 1 2 3 4 5 6 7 8 9);)*
        builder
    }};
    (@ones $builder:ident, $event:ty, $handler:ident($value:expr), $tens:literal, $($ones:literal)*) => {
        $builder$(.bind_handler::<$event, _>($handler::<{ 10 * $tens + $ones }>($value)))*
    };
}

/// What happened, in the order it did.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The entries so far, which are then forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Adds `entry` when the guard is dropped.
    #[must_use]
    pub fn on_drop(&self, entry: impl Into<String>) -> OnDrop {
        OnDrop { log: self.clone(), entry: entry.into() }
    }
}

#[derive(Debug)]
pub struct OnDrop {
    log: Log,
    entry: String,
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.log.add(&*self.entry);
    }
}

/// A handler made of a closure, for `bind_handler`; each closure is a type of its own.
pub struct On<F>(pub F);

impl<E, F, Fut> EventHandler<E> for On<F>
where
    E: Notification,
    F: Fn(&E) -> Fut + Send + Sync + 'static,
    Fut: HandlerFuture,
{
    fn handle(&self, event: &E) -> impl HandlerFuture {
        (self.0)(event)
    }
}

/// Is pending `times` times, each time asking to be polled again.
pub async fn pending(times: usize) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a [`Scripted`] handler does: it waits, and then comes to its end.
#[derive(Clone, Debug)]
pub struct Script {
    pub wait: Wait,
    pub end: End,
}

#[derive(Clone, Debug)]
pub enum Wait {
    /// Pending so many times, asking to be polled again each time.
    Times(usize),
    /// Until the gate opens.
    Gate(Gate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Ok,
    Error,
    Panic,
}

#[must_use]
pub fn ok(times: usize) -> Script {
    Script { wait: Wait::Times(times), end: End::Ok }
}

#[must_use]
pub fn error(times: usize) -> Script {
    Script { end: End::Error, ..ok(times) }
}

#[must_use]
pub fn panic(times: usize) -> Script {
    Script { end: End::Panic, ..ok(times) }
}

/// So often pending that no test waits for the end.
#[must_use]
pub fn forever() -> Script {
    ok(usize::MAX)
}

/// Handler number `10 * TENS + ONES`: does what its script says and logs what becomes of it.
pub struct Scripted<const TENS: usize, const ONES: usize> {
    script: Script,
    log: Log,
}

impl<const TENS: usize, const ONES: usize, E: Notification> EventHandler<E> for Scripted<TENS, ONES> {
    async fn handle(&self, _event: &E) -> Result<(), String> {
        let number = 10 * TENS + ONES;
        self.log.add(format!("{number} starts"));
        let mut end = self.log.on_drop(format!("{number} is dropped"));
        match &self.script.wait {
            Wait::Times(times) => pending(*times).await,
            Wait::Gate(gate) => gate.clone().await.unwrap(),
        }
        match self.script.end {
            End::Ok => end.entry = format!("{number} ends"),
            End::Error => end.entry = format!("{number} fails"),
            End::Panic => end.entry = format!("{number} panics"),
        }
        drop(end);
        match self.script.end {
            End::Ok => Ok(()),
            End::Error => Err(format!("error of {number}")),
            End::Panic => panic!("panic of {number}"),
        }
    }
}

/// Binds a [`Scripted`] handler of `E` for each of up to ten scripts.
pub fn bind_scripted<E: Notification>(builder: MediatorBuilder, log: &Log, scripts: &[Script]) -> MediatorBuilder {
    assert!(scripts.len() <= 10, "there are ten handlers");
    bind_ten::<E, 0>(builder, log, scripts)
}

/// Binds a [`Scripted`] handler of `E` for each of up to a hundred scripts.
pub fn bind_many_scripted<E: Notification>(
    mut builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    assert!(scripts.len() <= 100, "there are a hundred handlers");
    builder = bind_ten::<E, 0>(builder, log, scripts);
    builder = bind_ten::<E, 1>(builder, log, scripts);
    builder = bind_ten::<E, 2>(builder, log, scripts);
    builder = bind_ten::<E, 3>(builder, log, scripts);
    builder = bind_ten::<E, 4>(builder, log, scripts);
    builder = bind_ten::<E, 5>(builder, log, scripts);
    builder = bind_ten::<E, 6>(builder, log, scripts);
    builder = bind_ten::<E, 7>(builder, log, scripts);
    builder = bind_ten::<E, 8>(builder, log, scripts);
    bind_ten::<E, 9>(builder, log, scripts)
}

fn bind_ten<E: Notification, const TENS: usize>(
    mut builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    builder = bind_one::<E, TENS, 0>(builder, log, scripts);
    builder = bind_one::<E, TENS, 1>(builder, log, scripts);
    builder = bind_one::<E, TENS, 2>(builder, log, scripts);
    builder = bind_one::<E, TENS, 3>(builder, log, scripts);
    builder = bind_one::<E, TENS, 4>(builder, log, scripts);
    builder = bind_one::<E, TENS, 5>(builder, log, scripts);
    builder = bind_one::<E, TENS, 6>(builder, log, scripts);
    builder = bind_one::<E, TENS, 7>(builder, log, scripts);
    builder = bind_one::<E, TENS, 8>(builder, log, scripts);
    bind_one::<E, TENS, 9>(builder, log, scripts)
}

fn bind_one<E: Notification, const TENS: usize, const ONES: usize>(
    builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    match scripts.get(10 * TENS + ONES) {
        Some(script) => {
            builder.bind_handler::<E, _>(Scripted::<TENS, ONES> { script: script.clone(), log: log.clone() })
        }
        None => builder,
    }
}

/// What an error says of [`Scripted`] handlers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub failures: Vec<String>,
    pub cancelled: Vec<usize>,
    pub not_run: Vec<usize>,
}

impl Said {
    #[must_use]
    pub fn by(error: &PublishError) -> Self {
        let failures = error.failures().iter().map(|failure| {
            let number = number(failure.handler());
            let message = failure.error().map(ToString::to_string).or(failure.panic_message().map(Into::into)).unwrap();
            assert!(message.ends_with(&format!(" of {number}")), "{failure}");
            message
        });
        Self {
            failures: failures.collect(),
            cancelled: error.cancelled().iter().map(number).collect(),
            not_run: error.not_run().iter().map(number).collect(),
        }
    }
}

/// The number of a [`Scripted`] handler.
fn number(handler: &HandlerInfo) -> usize {
    let digits: Vec<usize> = handler
        .name()
        .strip_prefix("mediator_tests::Scripted<")
        .and_then(|name| name.strip_suffix('>')?.split(", ").map(|digit| digit.parse().ok()).collect())
        .unwrap_or_else(|| panic!("{handler} is not scripted"));
    10 * digits[0] + digits[1]
}

/// A strategy of a user's own: runs every handler, one after another, whatever becomes of the others.
pub struct BestEffort;

impl EventPublisher for BestEffort {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter() {
            failures.extend(delivery.deliver().await.err());
        }
        deliveries.finish(failures)
    }
}

/// What a handler waits at until the test says `open.send(())`.
pub type Gate = Shared<oneshot::Receiver<()>>;

pub fn gate() -> (oneshot::Sender<()>, Gate) {
    let (open, gate) = oneshot::channel();
    (open, gate.shared())
}

/// A future that the test polls by hand.
pub struct Stepped<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a, T> Stepped<'a, T> {
    pub fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// Polls once, whether or not anybody asked for it.
    pub fn step(&mut self) -> Poll<T> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Whether the future has asked to be polled again since the last time this was called.
    pub fn woken(&mut self) -> bool {
        self.wakes.0.swap(0, Ordering::Relaxed) > 0
    }

    /// Polls as an executor does: for as long as the future asks for it.
    pub fn run_until_stalled(&mut self) -> Poll<T> {
        loop {
            let polled = self.step();
            if polled.is_ready() || !self.woken() {
                return polled;
            }
        }
    }
}

/// The last part of the handlers' names.
pub fn names<'a>(handlers: impl IntoIterator<Item = &'a HandlerInfo>) -> Vec<&'static str> {
    handlers.into_iter().map(|handler| short(handler.name())).collect()
}

/// The last part of a path.
#[must_use]
pub fn short(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// `(file name, line)` of a place.
#[must_use]
pub fn place(location: &Location<'static>) -> (&'static str, u32) {
    (location.file().rsplit(['/', '\\']).next().unwrap_or_default(), location.line())
}
