use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Below;

#[event_handler]
#[async_trait::async_trait]
impl EventHandler<OrderPlaced> for Below {
    async fn handle(&self, _event: &OrderPlaced) {}
}

#[derive(Inject)]
struct Above;

// What an `#[async_trait]` above has made of it.
#[event_handler]
impl EventHandler<OrderPlaced> for Above {
    fn handle<'life0, 'life1, 'async_trait>(
        &'life0 self,
        _event: &'life1 OrderPlaced,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async {})
    }
}

fn main() {}
