//! Other crates' buses on the same work: four handlers, ready at once, per published event.

use std::sync::Arc;

use bevy_ecs::prelude::{Event, On, World};
use jaeb::{EventBus, HandlerResult, SyncEventHandler};
use medi_rs::{medi_handler, medi_module, mediator};
use registry_io::SyncRegistry;
use registry_io::r#async::AsyncRegistry;
use rust_bus::BusEventHandler;
use rust_bus::contracts::bus_event::IBusEvent;
use rust_bus::contracts::meta::BusMetadata;
use tokio::runtime::Runtime;

use crate::measure::{Table, block_on};
use crate::work::{OrderPlaced, Total, Yield};

pub fn add_ready(table: &mut Table) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no limits are set");
    let runtime = &*Box::leak(Box::new(runtime));
    registry_io_sync(table);
    registry_io_async(table);
    bus(table);
    bevy(table);
    broadcast(table, runtime);
    jaeb_sync(table, runtime);
    medi(table, runtime);
}

fn registry_io_sync(table: &mut Table) {
    let registry = SyncRegistry::new();
    for _ in 0..4 {
        let total = Total::default();
        let _ = registry.register(move |event| total.add(event));
    }
    table.add("registry-io, sync (no futures, no results)", move |times| {
        for quantity in 0..times {
            registry.notify(&OrderPlaced::new(quantity));
        }
    });
}

/// Its futures may not borrow the event, so the work is done where they are made.
fn async_registry(handlers: usize, yields: usize) -> AsyncRegistry<OrderPlaced> {
    let registry = AsyncRegistry::new();
    for _ in 0..handlers {
        let total = Arc::new(Total::default());
        let _ = registry.register(move |event: &OrderPlaced| {
            total.add(event);
            async move {
                for _ in 0..yields {
                    Yield(false).await;
                }
            }
        });
    }
    registry
}

fn registry_io_async(table: &mut Table) {
    let sequential = async_registry(4, 0);
    table.add("registry-io, async, sequential (no results)", move |times| {
        block_on(async {
            for quantity in 0..times {
                sequential.notify_sequential(&OrderPlaced::new(quantity)).await;
            }
        });
    });
    add_concurrent(table, "registry-io, async, concurrent (no results)", 4, 0);
}

pub fn add_concurrent(table: &mut Table, name: &str, handlers: usize, yields: usize) {
    let registry = async_registry(handlers, yields);
    table.add(name, move |times| {
        block_on(async {
            for quantity in 0..times {
                registry.notify(&OrderPlaced::new(quantity)).await;
            }
        });
    });
}

impl IBusEvent for OrderPlaced {
    const EVENT_IDENTITY: &'static str = "OrderPlaced";
}

/// Its handlers have no instances that could keep a total.
macro_rules! bus_handlers {
    ($($name:ident)*) => {$(
        #[BusEventHandler]
        async fn $name(event: &OrderPlaced, _metadata: &BusMetadata) -> std::io::Result<()> {
            static TOTAL: Total = Total::new();
            TOTAL.add(event);
            Ok(())
        }
    )*};
}

bus_handlers!(bus_first bus_second bus_third bus_fourth);

fn bus(table: &mut Table) {
    // Fails only when called again.
    let _ = block_on(rust_bus::init());
    let metadata = BusMetadata::default();
    table.add("rust_bus, in memory (boxed futures, handlers without services)", move |times| {
        block_on(async {
            for quantity in 0..times {
                rust_bus::bus::event(OrderPlaced::new(quantity), &metadata).await.expect("no handler fails");
            }
        });
    });
}

#[derive(Event)]
struct Triggered(OrderPlaced);

fn bevy(table: &mut Table) {
    let mut world = World::new();
    for _ in 0..4 {
        let total = Total::default();
        world.add_observer(move |event: On<'_, '_, Triggered>| total.add(&event.event().0));
    }
    world.flush();
    table.add("bevy_ecs observers (sync, no results)", move |times| {
        for quantity in 0..times {
            world.trigger(Triggered(OrderPlaced::new(quantity)));
        }
    });
}

fn broadcast(table: &mut Table, runtime: &'static Runtime) {
    let (sender, _) = tokio::sync::broadcast::channel(16);
    let mut receivers: Vec<_> = (0..4).map(|_| (sender.subscribe(), Total::default())).collect();
    table.add("tokio broadcast, four receivers (a queue, one clone each)", move |times| {
        runtime.block_on(async {
            for quantity in 0..times {
                let _ = sender.send(OrderPlaced::new(quantity));
                for (receiver, total) in &mut receivers {
                    if let Ok(event) = receiver.recv().await {
                        total.add(&event);
                    }
                }
            }
        });
    });
}

struct Summing(Total);

impl SyncEventHandler<OrderPlaced> for Summing {
    fn handle(&self, event: &OrderPlaced, _bus: &EventBus) -> HandlerResult {
        self.0.add(event);
        Ok(())
    }
}

fn jaeb_sync(table: &mut Table, runtime: &'static Runtime) {
    let bus = runtime.block_on(async {
        let bus = EventBus::builder().build().await.expect("a bus without settings");
        for _ in 0..4 {
            let _ = bus.subscribe::<OrderPlaced, _, _>(Summing(Total::default())).await.expect("the bus is running");
        }
        bus
    });
    table.add("jaeb, sync handlers (its async ones are spawned, not awaited)", move |times| {
        runtime.block_on(async {
            for quantity in 0..times {
                bus.publish(OrderPlaced::new(quantity)).await.expect("the bus is running");
            }
        });
    });
}

#[derive(Clone)]
struct Sum(Arc<Total>);

#[medi_handler]
async fn first(sum: Sum, event: OrderPlaced) -> medi_rs::Result<()> {
    sum.0.add(&event);
    Ok(())
}

#[medi_handler]
async fn second(sum: Sum, event: OrderPlaced) -> medi_rs::Result<()> {
    sum.0.add(&event);
    Ok(())
}

#[medi_handler]
async fn third(sum: Sum, event: OrderPlaced) -> medi_rs::Result<()> {
    sum.0.add(&event);
    Ok(())
}

#[medi_handler]
async fn fourth(sum: Sum, event: OrderPlaced) -> medi_rs::Result<()> {
    sum.0.add(&event);
    Ok(())
}

medi_module! {
    manifest summing;
    resources { sum: Sum; }
    events { OrderPlaced => [first, second, third, fourth]; }
}

mediator! {
    struct Medi {
        event_queue_capacity: 8;
        event_workers: 1;
        modules: [summing];
    }
}

fn medi(table: &mut Table, runtime: &'static Runtime) {
    let medi: &Medi = Box::leak(Box::new(Medi::builder().sum(Sum(Arc::default())).build()));
    runtime.block_on(async { medi.start().expect("started once") });
    table.add("medi-rs, publish_and_wait (a queue, a worker, one clone each)", move |times| {
        runtime.block_on(async {
            for quantity in 0..times {
                let _ = medi.publish_and_wait(OrderPlaced::new(quantity)).await;
            }
        });
    });
}
