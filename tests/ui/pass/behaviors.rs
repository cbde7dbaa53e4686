//! Behaviors in every right form.
#![deny(warnings)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use mediator_core::{Message, prelude::*};

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Send(#[from] SendError),
}

#[request(u64, error = OrderError)]
struct PlaceOrder {
    item: String,
}

#[request]
struct Find<T>(T);

struct Log;
struct Connection<'a>(&'a str);
trait Clock: Send + Sync {}

const OUTERMOST: i32 = -100;

/// Around everything.
#[behavior(order = OUTERMOST, before = Both)]
struct Timing {
    log: Arc<Log>,
    #[inject(default)]
    calls: AtomicUsize,
    #[inject(with = 3)]
    times: u32,
    name: Option<Arc<str>>,
}

impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let _ = (&self.log, &self.calls, self.times, &self.name);
        call.run().await
    }
}

/// Around the handlers of two messages.
#[behavior(
    PlaceOrder,
    crate::OrderPlaced,
    order = -10,
    after = [Both],
    lends(&mut Connection<'_>, &Connection, &dyn Clock, &mut (dyn Clock + Send), &str, &mut &'static [u8]),
)]
struct Both;

impl Behavior<PlaceOrder> for Both {
    async fn handle(&self, mut call: Call<'_, PlaceOrder>) -> Result<u64, OrderError> {
        call.run().await
    }
}

impl Behavior<OrderPlaced> for Both {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome<OrderPlaced> {
        call.run().await
    }
}

/// One implementation for several messages.
#[behavior(PlaceOrder, OrderPlaced, Find<u8>)]
struct Audit;

impl<M: Message> Behavior<M> for Audit {
    async fn handle(&self, mut call: Call<'_, M>) -> Outcome<M> {
        call.run().await
    }
}

#[derive(Inject)]
struct ByBlock<T>(Arc<T>);

impl<T> ByBlock<T> {
    const ORDER: i32 = 7;
}

#[behavior(order = Self::ORDER, after = Timing)]
impl Behavior<Find<u8>> for ByBlock<u32> {
    async fn handle(&self, mut call: Call<'_, Find<u8>>) -> Outcome<Find<u8>> {
        let _ = (&self.0, call.message().0);
        call.run().await
    }
}

#[behavior(lends(&Self))]
impl Behavior for ByBlock<u32> {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.with(self).run().await
    }
}

/// Everything at once, in one instance.
#[service]
#[behavior(PlaceOrder)]
#[event_handler(OrderPlaced)]
#[request_handler(PlaceOrder)]
struct Orders {
    log: Arc<Log>,
}

impl Behavior<PlaceOrder> for Orders {
    async fn handle(&self, mut call: Call<'_, PlaceOrder>) -> Result<u64, OrderError> {
        call.run().await
    }
}

impl EventHandler<OrderPlaced> for Orders {
    async fn handle(&self, event: &OrderPlaced) {
        let _ = (event.order_id, &self.log);
    }
}

impl RequestHandler<PlaceOrder> for Orders {
    async fn handle(&self, request: &PlaceOrder) -> Result<u64, OrderError> {
        Ok(request.item.len() as u64)
    }
}

#[behavior]
#[cfg(any())]
struct Absent(NoSuchType);

#[behavior]
#[allow(non_camel_case_types)]
#[deprecated(note = "will go")]
struct outdated;

#[allow(deprecated)]
impl Behavior for outdated {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

macro_rules! around {
    ($message:ty, $behavior:ident, $lent:ty) => {
        #[behavior($message, lends($lent, &$message))]
        struct $behavior;

        impl Behavior<$message> for $behavior {
            async fn handle(&self, mut call: Call<'_, $message>) -> Outcome<$message> {
                call.run().await
            }
        }
    };
}

around!(PlaceOrder, ByMacro, &mut Connection<'static>);

fn main() {
    let find = Find(1_u8);
    let _ = (find.0, Connection("x").0, OrderPlaced::new(3), PlaceOrder { item: String::new() }, Log);
}
