//! What all candidates do: an event with a `String`, and handlers that read it and keep a total.

use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use mediator_core::{EventHandler, HandlerOutput, Mediator, MediatorBuilder, Notification, Publisher};
use serde::{Deserialize, Serialize};

// Cloned by queues, and serialized by nobody: rust_bus only asks that it could be.
#[derive(Clone, Deserialize, Notification, Serialize)]
pub struct OrderPlaced {
    pub order_id: String,
    pub quantity: u64,
}

impl OrderPlaced {
    pub fn new(quantity: u64) -> Self {
        Self { order_id: String::new(), quantity }
    }
}

/// Load and store instead of an atomic addition, which would cost more than most of what is
/// measured; the figure is not used.
#[derive(Default)]
pub struct Total(AtomicU64);

impl Total {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub fn add(&self, event: &OrderPlaced) {
        let total = self.0.load(Ordering::Relaxed);
        self.0.store(total + event.quantity + event.order_id.len() as u64, Ordering::Relaxed);
    }
}

/// Handler types without end: `At<At<At<(), 3>, 1>, 4>` is number 314.
pub struct At<Before, const DIGIT: usize>(PhantomData<fn() -> Before>);

/// Done at once.
pub struct Ready<Number> {
    pub total: Total,
    number: PhantomData<fn() -> Number>,
}

/// Pending `YIELDS` times first.
pub struct Yielding<Number, const YIELDS: usize> {
    total: Total,
    number: PhantomData<fn() -> Number>,
}

impl<Number: 'static> Ready<Number> {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { total: Total::default(), number: PhantomData })
    }

    #[inline]
    pub async fn run(&self, event: &OrderPlaced) -> io::Result<()> {
        self.total.add(event);
        Ok(())
    }
}

impl<Number: 'static, const YIELDS: usize> Yielding<Number, YIELDS> {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { total: Total::default(), number: PhantomData })
    }

    #[inline]
    pub async fn run(&self, event: &OrderPlaced) -> io::Result<()> {
        for _ in 0..YIELDS {
            Yield(false).await;
        }
        self.total.add(event);
        Ok(())
    }
}

// The same bodies again: what `EventHandler::handle` returns has no name to write by hand, and a
// future inside a future would be no handwritten call.
impl<Number: 'static> EventHandler<OrderPlaced> for Ready<Number> {
    async fn handle(&self, event: &OrderPlaced) -> io::Result<()> {
        self.total.add(event);
        Ok(())
    }
}

impl<Number: 'static, const YIELDS: usize> EventHandler<OrderPlaced> for Yielding<Number, YIELDS> {
    async fn handle(&self, event: &OrderPlaced) -> io::Result<()> {
        for _ in 0..YIELDS {
            Yield(false).await;
        }
        self.total.add(event);
        Ok(())
    }
}

/// Pending once, asking to be polled again.
pub struct Yield(pub bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A handler behind a boxed future: what `async-trait` makes of it.
pub trait Boxed: Send + Sync {
    fn call<'a>(&'a self, event: &'a OrderPlaced) -> BoxFuture<'a>;
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

impl<H: EventHandler<OrderPlaced>> Boxed for H {
    fn call<'a>(&'a self, event: &'a OrderPlaced) -> BoxFuture<'a> {
        Box::pin(async move { self.handle(event).await.into_result() })
    }
}

/// Takes handlers of ever new types.
pub trait Collect: Sized {
    fn ready<Number: 'static>(self) -> Self;
    fn yielding<Number: 'static, const YIELDS: usize>(self) -> Self;
}

impl Collect for MediatorBuilder {
    fn ready<Number: 'static>(self) -> Self {
        self.bind_handler::<OrderPlaced, _>(Ready::<Number>::new())
    }

    fn yielding<Number: 'static, const YIELDS: usize>(self) -> Self {
        self.bind_handler::<OrderPlaced, _>(Yielding::<Number, YIELDS>::new())
    }
}

impl Collect for Vec<Arc<dyn Boxed>> {
    fn ready<Number: 'static>(mut self) -> Self {
        self.push(Ready::<Number>::new());
        self
    }

    fn yielding<Number: 'static, const YIELDS: usize>(mut self) -> Self {
        self.push(Yielding::<Number, YIELDS>::new());
        self
    }
}

type D<const DIGIT: usize> = At<(), DIGIT>;

pub fn four_ready<C: Collect>(into: C) -> C {
    into.ready::<D<0>>().ready::<D<1>>().ready::<D<2>>().ready::<D<3>>()
}

pub fn four_yielding<C: Collect>(into: C) -> C {
    into.yielding::<D<0>, 1>().yielding::<D<1>, 1>().yielding::<D<2>, 1>().yielding::<D<3>, 1>()
}

pub fn eight<C: Collect, Before: 'static, const YIELDS: usize>(into: C) -> C {
    into.yielding::<At<Before, 0>, YIELDS>()
        .yielding::<At<Before, 1>, YIELDS>()
        .yielding::<At<Before, 2>, YIELDS>()
        .yielding::<At<Before, 3>, YIELDS>()
        .yielding::<At<Before, 4>, YIELDS>()
        .yielding::<At<Before, 5>, YIELDS>()
        .yielding::<At<Before, 6>, YIELDS>()
        .yielding::<At<Before, 7>, YIELDS>()
}

pub fn sixty_four_yielding<C: Collect>(into: C) -> C {
    let into = eight::<_, D<0>, 4>(into);
    let into = eight::<_, D<1>, 4>(into);
    let into = eight::<_, D<2>, 4>(into);
    let into = eight::<_, D<3>, 4>(into);
    let into = eight::<_, D<4>, 4>(into);
    let into = eight::<_, D<5>, 4>(into);
    let into = eight::<_, D<6>, 4>(into);
    eight::<_, D<7>, 4>(into)
}

pub fn builder() -> MediatorBuilder {
    Mediator::builder().without_discovery()
}

/// A mediator, a `Publisher` of it, and one like those that are injected.
pub fn handles(builder: MediatorBuilder) -> (Mediator, Publisher, Publisher) {
    let mediator = builder.build().expect("wired");
    let publisher = mediator.publisher();
    let injected = publisher.downgrade();
    (mediator, publisher, injected)
}
