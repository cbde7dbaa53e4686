//! Every form that `#[event_handler]` takes, and every output.
#![deny(warnings)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {}

#[event]
struct OrderShipped {}

#[event]
struct Created<T> {
    value: T,
}

trait Mailer: Send + Sync {}

#[derive(Debug)]
struct MailError;

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no mail today")
    }
}

impl std::error::Error for MailError {}

#[event_handler(OrderPlaced, self::OrderShipped, Created<u64>, order = -1, name = "email", crate = ::mediator_core)]
struct SendEmail {
    _mailer: Arc<dyn Mailer>,
    #[inject(default)]
    _sent: AtomicUsize,
    #[inject(with = String::from("hello"))]
    _greeting: String,
    _sender: &'static str,
}

impl EventHandler<OrderPlaced> for SendEmail {
    async fn handle(&self, _event: &OrderPlaced) -> Result<(), MailError> {
        Ok(())
    }
}

impl EventHandler<OrderShipped> for SendEmail {
    async fn handle(&self, _event: &OrderShipped) -> anyhow::Result<()> {
        Ok(())
    }
}

impl EventHandler<Created<u64>> for SendEmail {
    fn handle(&self, event: &Created<u64>) -> impl Future<Output = Result<(), String>> + Send {
        std::future::ready(Err(event.value.to_string()))
    }
}

#[derive(Inject)]
struct Audit(Arc<u64>, #[inject(default)] u32);

#[event_handler]
impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, _event: &OrderPlaced) {
        assert!(*self.0 + u64::from(self.1) < 10);
    }
}

#[derive(Inject)]
struct Store<T>(T);

impl<T: Send + Sync + 'static> EventHandler<OrderPlaced> for Store<T> {
    async fn handle(&self, _event: &OrderPlaced) {
        let _ = &self.0;
    }
}

#[event_handler(after = Audit, before = [SendEmail])]
async fn log(_event: &OrderPlaced, #[inject(with = 3)] mut attempts: u32, (_a, _b): (u32, u32), _: Arc<u64>) {
    attempts += 1;
    let _ = attempts;
}

#[event_handler(order = 5)]
fn count(_: &OrderPlaced, _sender: &'static str) -> Result<(), std::io::Error> {
    Ok(())
}

#[event_handler]
fn created(_: &'_ Created<u64>) {}

fn main() {
    let mediator = Mediator::builder().without_discovery();
    let mediator = mediator.bind_fn(log).bind_fn(count).bind_fn(created);
    assert!(mediator.bind::<OrderPlaced, Store<u64>>().build().is_err(), "the services are missing");
}
