//! What a send costs: a request with a `String`, one handler, an answer.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use mediator_core::prelude::*;
use tower::util::BoxCloneService;
use tower::{Service, ServiceExt};

use crate::measure::{Table, block_on};
use crate::work::builder;

#[derive(Debug)]
pub struct Confirmation(#[expect(dead_code, reason = "only made")] u64);

#[request(Confirmation, error = SendError)]
pub struct PlaceOrder {
    item: String,
    quantity: u64,
}

impl PlaceOrder {
    fn new(quantity: u64) -> Self {
        Self { item: String::new(), quantity }
    }
}

type Answer = Result<Confirmation, SendError>;

#[request_handler(manual)]
async fn place_order(request: &PlaceOrder) -> Answer {
    Ok(Confirmation(request.quantity + request.item.len() as u64))
}

/// Lent exclusively, as a transaction is.
struct Sum(u64);

#[request(Confirmation, error = SendError)]
struct Add(PlaceOrder);

#[request_handler(manual)]
async fn add(request: &Add, sum: &mut Sum) -> Answer {
    sum.0 += request.0.quantity;
    place_order(&request.0).await
}

static INJECTED: OnceLock<Sender> = OnceLock::new();

/// A handler whose type is forgotten, as one would write it by hand.
trait Boxed<R, T>: Send + Sync {
    fn call<'a>(&'a self, request: &'a R) -> Pin<Box<dyn Future<Output = T> + Send + 'a>>;
}

struct Places;

impl Boxed<PlaceOrder, Answer> for Places {
    fn call<'a>(&'a self, request: &'a PlaceOrder) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(place_order(request))
    }
}

type Handler = Box<dyn Boxed<PlaceOrder, Answer>>;

pub fn sends() -> Table {
    let mut table = Table::new("A request and its answer");
    publishes!(table, "handwritten `.await`", |quantity| place_order(black_box(&PlaceOrder::new(quantity))).await);
    let mediator = builder().bind_fn(place_order).build().expect("wired");
    let _ = INJECTED.set(mediator.sender().downgrade());
    let sender = mediator.sender();
    publishes!(table, "**mediator**", |quantity| black_box(mediator.send(PlaceOrder::new(quantity)).await));
    publishes!(table, "**mediator**, through an injected `Sender`", |quantity| {
        black_box(INJECTED.get().expect("set above").send(PlaceOrder::new(quantity)).await)
    });
    let borrowing = builder().bind_fn(add).build().expect("wired");
    let mut sum = Sum(0);
    publishes!(table, "**mediator**, a `&mut` is borrowed", |quantity| {
        // Keeps the mediator of the injected sender.
        black_box(&sender);
        black_box(borrowing.with(&mut sum).send(Add(PlaceOrder::new(quantity))).await)
    });
    let handlers: HashMap<TypeId, Box<dyn Any + Send + Sync>> = HashMap::from([(
        TypeId::of::<PlaceOrder>(),
        Box::new(Box::new(Places) as Handler) as Box<dyn Any + Send + Sync>,
    )]);
    publishes!(table, "hash map of boxed futures", |quantity| {
        let request = PlaceOrder::new(quantity);
        let handler =
            black_box(&handlers).get(&TypeId::of::<PlaceOrder>()).and_then(|any| any.downcast_ref::<Handler>());
        black_box(handler.expect("inserted above").call(&request).await)
    });
    tower(&mut table);
    medi(&mut table);
    mediator_rs(&mut table);
    mediator_0_2(&mut table);
    table
}

fn tower(table: &mut Table) {
    let place = |request: PlaceOrder| async move { place_order(&request).await };
    let mut service = BoxCloneService::new(tower::service_fn(place));
    publishes!(table, "tower, `BoxCloneService` (one type of request)", |quantity| {
        black_box(service.ready().await.expect("always ready").call(PlaceOrder::new(quantity)).await)
    });
}

#[derive(medi_rs::MediCommand)]
#[medi_command(return_type = u64, error_type = medi_rs::Error)]
struct MediOrder {
    item: String,
    quantity: u64,
}

#[medi_rs::medi_handler]
async fn place_medi_order(order: MediOrder) -> medi_rs::Result<u64> {
    Ok(order.quantity + order.item.len() as u64)
}

medi_rs::medi_module! {
    manifest placing;
    commands { MediOrder => place_medi_order; }
}

medi_rs::mediator! {
    struct MediSends {
        event_queue_capacity: 1;
        event_workers: 1;
        modules: [placing];
    }
}

fn medi(table: &mut Table) {
    let medi = MediSends::builder().build();
    publishes!(table, "medi-rs, send (handlers are listed, static)", |quantity| {
        black_box(medi.send(MediOrder { item: String::new(), quantity }).await)
    });
}

struct Plain {
    item: String,
    quantity: u64,
}

impl mediator_rs::Request for Plain {
    type Output = u64;
}

struct PlacesPlain;

#[async_trait::async_trait]
impl mediator_rs::Handler<Plain, String, ()> for PlacesPlain {
    async fn handle(&self, request: Plain, (): &()) -> Result<u64, String> {
        Ok(request.quantity + request.item.len() as u64)
    }
}

fn mediator_rs(table: &mut Table) {
    let mut mediator: mediator_rs::Mediator<(), String> = mediator_rs::Mediator::new();
    mediator.register::<Plain, _>(PlacesPlain);
    let mediator = Arc::new(mediator);
    publishes!(table, "mediator-rs 0.1, dispatch", |quantity| {
        black_box(mediator.dispatch(Plain { item: String::new(), quantity }, &()).await)
    });
}

impl mediator::Request<Result<u64, Infallible>> for Plain {}

fn mediator_0_2(table: &mut Table) {
    use mediator::Mediator;

    let place = |request: Plain| Ok::<_, Infallible>(request.quantity + request.item.len() as u64);
    let mut mediator = mediator::DefaultMediator::builder().add_handler(place).build();
    table.add("mediator 0.2, send (no future, takes `&mut`)", move |times| {
        for quantity in 0..times {
            let _ = black_box(mediator.send(Plain { item: String::new(), quantity }));
        }
    });
}
