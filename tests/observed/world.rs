//! Events, requests and handlers.

use std::pin::Pin;
use std::task::{Context, Poll};

use mediator_core::Deliveries;
use mediator_core::prelude::*;

#[event]
pub(crate) struct OrderPlaced {
    pub(crate) wish: Wish,
}

#[event]
pub(crate) struct StockReserved {}

/// Nobody handles it.
#[event]
pub(crate) struct Forgotten {}

#[request(u32, error = Refusal)]
pub(crate) struct Divide {
    pub(crate) a: u32,
    pub(crate) b: u32,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("division by {0}")]
    By(u32),
    #[error(transparent)]
    Send(#[from] SendError),
}

/// What the handlers are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Work,
    Fail,
    Panic,
    Wait,
}

#[derive(Debug, thiserror::Error)]
#[error("no stock")]
pub(crate) struct NoStock(#[source] pub(crate) std::fmt::Error);

#[event_handler(manual)]
pub(crate) async fn reserve(event: &OrderPlaced, publisher: &Publisher) -> anyhow::Result<()> {
    yield_now().await;
    match event.wish {
        Wish::Work => publisher.publish(StockReserved::new()).await?,
        Wish::Fail => return Err(NoStock(std::fmt::Error).into()),
        Wish::Panic => panic!("out of boxes"),
        Wish::Wait => std::future::pending().await,
    }
    Ok(())
}

#[event_handler(manual)]
pub(crate) fn thank(_event: &OrderPlaced) {}

#[event_handler(manual)]
pub(crate) async fn ship(_event: &StockReserved, sender: &Sender) -> Result<(), Refusal> {
    assert_eq!(sender.send(Divide { a: 6, b: 3 }).await?, 2);
    Ok(())
}

#[request_handler(manual)]
pub(crate) async fn divide(request: &Divide) -> Result<u32, Refusal> {
    yield_now().await;
    match request.b {
        0 => Err(Refusal::By(0)),
        13 => panic!("bad luck"),
        99 => std::future::pending().await,
        b => Ok(request.a / b),
    }
}

/// Borrows what nobody lends.
#[event_handler(manual)]
pub(crate) fn borrow(_event: &Forgotten, text: &mut String) {
    text.clear();
}

pub(crate) fn builder() -> mediator_core::MediatorBuilder {
    Mediator::builder().without_discovery().bind_fn(reserve).bind_fn(thank).bind_fn(ship).bind_fn(divide)
}

pub(crate) fn mediator() -> Mediator {
    builder().build().unwrap()
}

/// Gives up on a handler that does not finish at its second poll.
pub(crate) struct Impatient;

impl EventPublisher for Impatient {
    async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
        let mut failures = Vec::new();
        for delivery in deliveries.iter() {
            let ended = futures::future::select(Box::pin(delivery.deliver()), Box::pin(yield_twice())).await;
            match ended {
                futures::future::Either::Left((outcome, _)) => failures.extend(outcome.err()),
                futures::future::Either::Right(_) => failures.push(delivery.fail("too slow")),
            }
        }
        deliveries.finish(failures)
    }
}

async fn yield_twice() {
    yield_now().await;
    yield_now().await;
}

pub(crate) fn yield_now() -> impl Future<Output = ()> {
    struct Yield(bool);

    impl Future for Yield {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    Yield(false)
}
