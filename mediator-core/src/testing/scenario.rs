//! A flow: something happens, and then something else does.

use std::fmt::Display;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
#[cfg(feature = "tokio")]
use std::time::Duration;

use super::limit::{Elapsed, Limit};
use super::recorder::Recorder;
use super::tree::{self, Ids};
use crate::dispatch::Publishable;
use crate::errors::chain;
use crate::event::notification::Notification;
use crate::handler::error::BoxError;
use crate::handler::event_handler::HandlerOutput;
use crate::mediator::handles::Mediator;
use crate::request::request::{Request, RequestError};

/// A test of a flow: something happens, and then an event is published.
///
/// The event may come from a handler, from a handler of what that publishes, or from a task that one of them has spawned. The test
/// is woken when something is recorded, on any executor; it neither sleeps nor polls. Where the mediator has an outbox, the
/// scenario delivers what was recorded there, attempts that are due later included, before it looks for the event; with an outbox
/// whose clock stands still, that takes no time.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::{Recorder, Scenario};
///
/// #[event]
/// struct OrderPlaced { order_id: u64, quantity: u32 }
///
/// #[event]
/// struct StockReserved { order_id: u64, quantity: u32 }
///
/// #[event_handler(manual)]
/// async fn reserve_stock(event: &OrderPlaced, publisher: &Publisher) -> Result<(), PublishError> {
///     publisher.publish(StockReserved::new(event.order_id, event.quantity)).await
/// }
///
/// # futures::executor::block_on(async {
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().bind_fn(reserve_stock).recorder(&recorder).build()?;
///
/// Scenario::new(&mediator, &recorder)
///     .publish(OrderPlaced::new(7, 2))
///     .wait_for::<StockReserved>()
///     .matching(|event| event.order_id == 7)
///     .and_assert(|event| assert_eq!(event.quantity, 2))
///     .await;
/// # Ok::<(), BuildError>(())
/// # }).unwrap();
/// ```
///
/// A failure panics with the place of the `wait_for` and a [tree](Recorder::tree) of what happened since the scenario began.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a> {
    mediator: &'a Mediator,
    recorder: &'a Recorder,
}

impl<'a> Scenario<'a> {
    /// With a mediator and its recorder.
    #[must_use]
    pub fn new(mediator: &'a Mediator, recorder: &'a Recorder) -> Self {
        Self { mediator, recorder }
    }

    /// Begins with a publish, which must not fail.
    pub fn publish<E: Publishable + 'a>(self, event: E) -> Stimulus<'a> {
        let Self { mediator, .. } = self;
        self.begin(async move { mediator.publish(event).await.map_err(BoxError::from) })
    }

    /// Begins with a send, whose answer must not be an error.
    pub fn send<R: Request>(self, request: R) -> Stimulus<'a> {
        let Self { mediator, .. } = self;
        self.begin(async move { mediator.send(request).await.map(drop).map_err(RequestError::into_box) })
    }

    /// Begins with whatever the closure does; what it returns is `()`, or a `Result` that must not be an error.
    ///
    /// ```
    /// # use mediator_core::prelude::*;
    /// # use mediator_core::testing::{Recorder, Scenario};
    /// # #[event] struct OrderPlaced {}
    /// # #[derive(Default)] struct Connection;
    /// # futures::executor::block_on(async {
    /// # let recorder = Recorder::new();
    /// # let mediator = Mediator::builder().without_discovery().recorder(&recorder).build()?;
    /// let mut db = Connection::default();
    /// Scenario::new(&mediator, &recorder)
    ///     .when(|| async { mediator.with(&mut db).publish(OrderPlaced::new()).await })
    ///     .wait_for::<OrderPlaced>()
    ///     .await;
    /// # Ok::<(), BuildError>(())
    /// # }).unwrap();
    /// ```
    pub fn when<F, Fut>(self, stimulus: F) -> Stimulus<'a>
    where
        F: FnOnce() -> Fut + 'a,
        Fut: Future<Output: HandlerOutput> + 'a,
    {
        self.begin(async move { stimulus().await.into_result() })
    }

    /// Waits for durable deliveries, retries included.
    async fn settle(&self) -> Result<(), BoxError> {
        #[cfg(feature = "durable")]
        crate::mediator::durable::settle(self.mediator).await?;
        Ok(())
    }

    fn begin(self, stimulus: impl Future<Output = Result<(), BoxError>> + 'a) -> Stimulus<'a> {
        Stimulus { run: Box::pin(stimulus), scenario: self }
    }
}

/// What a [`Scenario`] begins with.
#[must_use = "a scenario does nothing until it waits for something"]
pub struct Stimulus<'a> {
    run: Pin<Box<dyn Future<Output = Result<(), BoxError>> + 'a>>,
    scenario: Scenario<'a>,
}

impl<'a> Stimulus<'a> {
    /// Then waits for an `E`, until its publish has ended; for ten seconds at most, unless
    /// `or_at_most` says otherwise.
    #[track_caller]
    pub fn wait_for<E: Notification>(self) -> WaitFor<'a, E> {
        WaitFor { stimulus: self, matches: Vec::new(), limit: Limit::DEFAULT, location: Location::caller() }
    }
}

type Matches<'a, E> = Box<dyn Fn(&E) -> bool + 'a>;

/// What a [`Scenario`] waits for; to be awaited, which returns the event.
#[must_use = "a scenario does nothing until it is awaited"]
pub struct WaitFor<'a, E> {
    stimulus: Stimulus<'a>,
    matches: Vec<Matches<'a, E>>,
    limit: Limit,
    location: &'static Location<'static>,
}

impl<'a, E: Notification> WaitFor<'a, E> {
    /// One that `matches` accepts; called again, one that all of them do.
    pub fn matching(mut self, matches: impl Fn(&E) -> bool + 'a) -> Self {
        self.matches.push(Box::new(matches));
        self
    }

    /// For so long at most, what the scenario begins with included. In tokio's time, so that the test is over at once where its clock is paused.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mediator_core::prelude::*;
    /// # use mediator_core::testing::{Recorder, Scenario};
    /// # #[event] #[derive(Clone)] struct Reminded {}
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), BuildError> {
    /// # let recorder = Recorder::new();
    /// # let mediator = Mediator::builder().without_discovery().recorder(&recorder).build()?;
    /// let publisher = mediator.publisher();
    /// Scenario::new(&mediator, &recorder)
    ///     .when(|| async {
    ///         tokio::spawn(async move {
    ///             tokio::time::sleep(Duration::from_secs(3_600)).await;
    ///             publisher.publish(Reminded::new()).await
    ///         });
    ///     })
    ///     .wait_for::<Reminded>()
    ///     .or_at_most(Duration::from_secs(4_000))
    ///     .await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// When it is awaited, outside of a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn or_at_most(mut self, limit: Duration) -> Self {
        self.limit = Limit::Tokio(limit);
        self
    }

    /// Then looks at the event; if that panics, what happened is printed as well.
    ///
    /// # Panics
    ///
    /// As for awaiting it, and if `assert` does.
    pub async fn and_assert(self, assert: impl FnOnce(&E)) -> Arc<E> {
        let recorder = self.stimulus.scenario.recorder;
        let since = recorder.len();
        let event = self.run().await;
        let told = TellOnPanic { recorder, since };
        assert(&event);
        drop(told);
        event
    }

    async fn run(self) -> Arc<E> {
        let Self { stimulus: Stimulus { run, scenario }, matches, limit, location } = self;
        let Scenario { recorder, .. } = scenario;
        let since = recorder.len();
        let fail = |what: &dyn Display| -> ! {
            let entries = recorder.entries();
            let (what, happened) = (Ids::of(&entries).shorten(&what.to_string()), tree::of(&entries, since));
            panic!("the scenario at {location}: {what}; what happened:\n{happened}")
        };
        let wanted = |event: &E| matches.iter().all(|matches| matches(event));
        let flow = pin!(async {
            run.await?;
            loop {
                scenario.settle().await?;
                let settled = recorder.len();
                // Or nothing, when more has happened.
                let found = poll_fn(|cx| match recorder.poll_event(cx, since, wanted) {
                    Poll::Pending if recorder.len() > settled => Poll::Ready(None),
                    found => found.map(Some),
                });
                if let Some(event) = found.await {
                    return Ok::<_, BoxError>(event);
                }
            }
        });
        match limit.of(flow).await {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => fail(&format_args!("what it begins with failed: {}", chain::text_of(&*error))),
            Err(Elapsed(limit)) => {
                let which = if matches.is_empty() { "" } else { "matching " };
                fail(&format_args!("no {which}`{}` was published within {limit:?}", E::event_name()))
            }
        }
    }
}

impl<'a, E: Notification> IntoFuture for WaitFor<'a, E> {
    type Output = Arc<E>;
    type IntoFuture = Pin<Box<dyn Future<Output = Arc<E>> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for Stimulus<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stimulus").finish_non_exhaustive()
    }
}

impl<E> std::fmt::Debug for WaitFor<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitFor").field("location", &self.location).finish_non_exhaustive()
    }
}

/// Prints what happened if it is dropped by a panic.
struct TellOnPanic<'a> {
    recorder: &'a Recorder,
    since: usize,
}

impl Drop for TellOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what happened in the scenario:\n{}", tree::of(&self.recorder.entries(), self.since));
        }
    }
}
