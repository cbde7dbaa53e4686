use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[event_handler(OrderPlaced)]
struct SendEmail;

// What an `#[async_trait]` makes of `async fn handle`, out of sight of the macros.
impl EventHandler<OrderPlaced> for SendEmail {
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
