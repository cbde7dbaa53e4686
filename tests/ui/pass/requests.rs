#![deny(warnings)]

use std::sync::Arc;

use mediator_core::prelude::*;

#[derive(Debug)]
pub enum OrderError {
    Send(SendError),
}

impl From<SendError> for OrderError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl std::fmt::Display for OrderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Send(error) = self;
        error.fmt(f)
    }
}

impl std::error::Error for OrderError {}

#[request(Vec<(u8, String)>, error = OrderError, name = "orders.list",)]
#[derive(Clone, Debug)]
pub struct List {
    pub r#type: String,
}

#[request((), error = Box<dyn std::error::Error + Send + Sync>)]
pub enum Tidy {
    Now,
    Later(u32),
}

#[request(error = anyhow::Error)]
pub struct Quiet;

#[request]
pub struct Unit;

#[request(Option<T>)]
pub struct Find<T, const N: usize>(pub [T; N])
where
    T: Clone;

pub struct Orders;

#[request_handler(List, name = "list")]
async fn list(List { r#type }: &List, orders: Arc<Orders>, tx: &mut Vec<u8>, sender: &Sender) -> Result<Vec<(u8, String)>, OrderError> {
    let _ = (orders, sender);
    Ok(tx.iter().map(|byte| (*byte, r#type.clone())).collect())
}

#[request_handler(manual)]
fn tidy(_: &Tidy) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err("no".into())
}

#[request_handler(crate::Quiet)]
async fn quiet(request: &Quiet, clock: Option<&(dyn Fn() -> u32 + Sync)>) -> anyhow::Result<()> {
    let _ = (request, clock);
    Ok(())
}

#[derive(Inject)]
struct Units {
    #[inject(default)]
    count: std::sync::atomic::AtomicUsize,
}

#[request_handlers]
impl Units {
    fn r#unit(&self, _: &Unit) {
        self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    #[request_handler(manual)]
    async fn find(self: &Self, request: &Find<u8, 3>) -> Option<u8> {
        request.0.first().copied()
    }
}

fn main() {
    let mediator = Mediator::builder().provide(Arc::new(Orders)).build();
    assert!(mediator.unwrap_err().to_string().contains("Tidy"));
}
