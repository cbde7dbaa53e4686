//! What behaviors cost: a publish and a send through none, one, two and three of them.

use std::hint::black_box;
use std::pin::Pin;

use mediator_core::prelude::*;
use mediator_core::{AnyMessage, MediatorBuilder};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::measure::{Table, block_on};
use crate::work::builder;

struct OrderPlaced(u64);

impl Notification for OrderPlaced {}

#[request(u64)]
struct PlaceOrder(u64);

#[event_handler(manual)]
async fn placed(event: &OrderPlaced) {
    black_box(event.0);
}

#[request_handler(manual)]
async fn place_order(request: &PlaceOrder) -> u64 {
    black_box(request.0)
}

/// Around every message, doing as little as one can.
struct Around<const NUMBER: usize>;

impl<const NUMBER: usize> Behavior for Around<NUMBER> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

/// Around the request, whose answer it passes on.
struct Typed;

impl Behavior<PlaceOrder> for Typed {
    async fn handle(&self, mut call: Call<'_, PlaceOrder>) -> Outcome<PlaceOrder> {
        call.run().await
    }
}

/// Does not fit in place.
struct Large;

impl Behavior for Large {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let room = black_box([0_u8; 512]);
        let outcome = call.run().await;
        black_box(&room);
        outcome
    }
}

/// Lends a value.
#[behavior(lends(&mut u64))]
struct Lends;

impl Behavior for Lends {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.with(&mut 1_u64).run().await
    }
}

fn mediator(behaviors: impl FnOnce(MediatorBuilder) -> MediatorBuilder) -> Mediator {
    behaviors(builder().without_behaviors()).bind_fn(placed).bind_fn(place_order).build().expect("wired")
}

fn one() -> Mediator {
    mediator(|builder| builder.behavior(Around::<0>))
}

fn two() -> Mediator {
    mediator(|builder| builder.behavior(Around::<0>).behavior(Around::<1>))
}

fn three() -> Mediator {
    mediator(|builder| builder.behavior(Around::<0>).behavior(Around::<1>).behavior(Around::<2>))
}

fn large() -> Mediator {
    mediator(|builder| builder.behavior(Large))
}

fn lends() -> Mediator {
    mediator(|builder| builder.behavior::<AnyMessage, _>(Lends))
}

pub fn publishes_inside() -> Table {
    let mut table = Table::new("Behaviors around one handler of an event");
    for (name, mediator) in [
        ("**mediator**, none", mediator(|builder| builder)),
        ("**mediator**, one", one()),
        ("**mediator**, two", two()),
        ("**mediator**, three", three()),
        ("**mediator**, one of 512 bytes", large()),
        ("**mediator**, one that lends", lends()),
    ] {
        publishes!(table, name, |number| black_box(mediator.publish(OrderPlaced(number)).await));
    }
    table
}

/// A behavior whose type is forgotten, as one would write it by hand.
trait Boxed: Send + Sync {
    fn call<'a>(&'a self, request: &'a PlaceOrder, next: &'a [Box<dyn Boxed>]) -> BoxedAnswer<'a>;
}

type BoxedAnswer<'a> = Pin<Box<dyn Future<Output = Result<u64, SendError>> + Send + 'a>>;

struct ByHand;

impl Boxed for ByHand {
    fn call<'a>(&'a self, request: &'a PlaceOrder, next: &'a [Box<dyn Boxed>]) -> BoxedAnswer<'a> {
        match next.split_first() {
            Some((behavior, next)) => Box::pin(async move { behavior.call(request, next).await }),
            None => Box::pin(async move { Ok(place_order(request).await) }),
        }
    }
}

pub fn sends_inside() -> Table {
    let mut table = Table::new("Behaviors around the handler of a request");
    for (name, mediator) in [
        ("**mediator**, none", mediator(|builder| builder)),
        ("**mediator**, one", one()),
        ("**mediator**, two", two()),
        ("**mediator**, three", three()),
        ("**mediator**, one around this request", mediator(|builder| builder.behavior(Typed))),
        ("**mediator**, one of 512 bytes", large()),
        ("**mediator**, one that lends", lends()),
    ] {
        publishes!(table, name, |number| black_box(mediator.send(PlaceOrder(number)).await));
    }
    let chain: [Box<dyn Boxed>; 3] = [Box::new(ByHand), Box::new(ByHand), Box::new(ByHand)];
    publishes!(table, "a boxed future each, two", |number| {
        let request = PlaceOrder(number);
        black_box(black_box(&chain)[0].call(&request, &chain[1..]).await)
    });
    let place = |request: PlaceOrder| async move { Ok::<_, SendError>(place_order(&request).await) };
    let pass = |answer: Result<u64, SendError>| async move { answer };
    let layers = ServiceBuilder::new().then(pass).then(pass).service(tower::service_fn(place));
    let mut service = BoxCloneService::new(layers);
    publishes!(table, "tower, two layers in a `BoxCloneService`", |number| {
        black_box(service.ready().await.expect("always ready").call(PlaceOrder(number)).await)
    });
    table
}
