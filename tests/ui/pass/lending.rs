//! What handlers borrow, methods, observers and services, in every right form.
#![deny(warnings)]

use std::sync::{Arc, Mutex};

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Connection<'a>(&'a str);
trait Clock: Send + Sync {}

const FIRST: i32 = -100;

#[event_handler(order = FIRST)]
async fn asynchronous(_event: &OrderPlaced, db: &mut Connection<'_>, clock: &dyn Clock, limit: Arc<u32>, name: &'static str) {
    let _ = (&mut *db, clock, limit, name);
}

#[event_handler(OrderPlaced, order = i32::MIN)]
fn plain(event: &OrderPlaced, db: Option<&mut Connection<'static>>, clock: Option<&dyn Clock>, publisher: &Publisher) {
    let _ = (event.order_id, db.map(|db| db.0), clock.is_some(), publisher.is_weak());
}

#[event_handler(manual)]
fn never(_event: &OrderPlaced) -> ! {
    panic!("never")
}

trait Ticks: Send {
    fn tick(&mut self);
}

#[event_handler]
fn trait_objects(_event: &OrderPlaced, one: &mut dyn Ticks, other: Option<&mut dyn Clock>, both: &(dyn Clock + Send)) {
    one.tick();
    let _ = (other.is_some(), both);
}

#[event_handler]
async fn unsized_types(_event: &OrderPlaced, text: &str, bytes: Option<&mut [u8]>, function: &fn(&str) -> usize) {
    let _ = (bytes.is_some(), function(text));
}

#[event_handler]
async fn patterns(_: &OrderPlaced, &(one, other): &(u8, u16), mut text: &str, _: Option<&u8>) {
    text = text.trim();
    let _ = (one, other, text);
}

type Placed = OrderPlaced;

#[event_handler(Placed, after = [asynchronous, Triage::placed])]
async fn by_alias(_event: &OrderPlaced, (one, other): (u8, u8), parameter_0: Arc<u16>) {
    let _ = (one, other, parameter_0);
}

#[derive(Inject)]
struct Triage {
    log: Arc<Log>,
}

#[event_handlers]
impl Triage {
    async fn placed(&self, event: &OrderPlaced) {
        self.log.lines.lock().unwrap().push(event.order_id);
    }

    fn explicitly(self: &Self, _event: &OrderPlaced, limit: Option<&u8>) {
        let _ = limit;
    }

    #[event_handler(OrderPlaced, order = 3, after = Self::explicitly, before = by_alias, name = "triage.again")]
    fn again(&self, _event: &Placed, db: &mut Connection<'_>) -> Result<(), String> {
        Err(db.0.to_owned())
    }

    async fn anything(&self, event: &dyn DynNotification) {
        let _ = event.event_name();
    }
}

#[event_handler]
fn observe(event: &dyn DynNotification, publisher: &Publisher) {
    let _ = (event.event_id(), publisher);
}

#[event_handler(dyn DynNotification)]
struct Audit {
    log: Option<Arc<Log>>,
}

impl EventHandler<dyn DynNotification> for Audit {
    async fn handle(&self, event: &dyn DynNotification) {
        let _ = (self.log.is_some(), event.event_name());
    }
}

#[service]
struct Log {
    #[inject(default)]
    lines: Mutex<Vec<u64>>,
}

trait Mailer: Send + Sync {}

#[service(dyn Mailer, dyn Clock)]
struct Smtp {
    url: Url,
}

impl Mailer for Smtp {}
impl Clock for Smtp {}

#[derive(Clone)]
struct Url(String);

#[service]
fn smtp_url(log: Arc<Log>, publisher: Publisher) -> Result<Url, std::io::Error> {
    let _ = (log, publisher);
    Ok(Url("smtp://localhost".into()))
}

#[event_handler]
fn mail(_event: &OrderPlaced, mailer: Arc<dyn Mailer>, smtp: Arc<Smtp>) {
    let _ = (mailer, smtp.url.0.len());
}

fn main() {}
