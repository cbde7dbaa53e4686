use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Inject)]
struct Below;

#[behavior]
#[async_trait::async_trait]
impl Behavior for Below {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[derive(Inject)]
struct Above;

// What an `#[async_trait]` above has made of it.
#[behavior]
impl Behavior<OrderPlaced> for Above {
    fn handle<'life0, 'life1, 'async_trait>(
        &'life0 self,
        mut call: Call<'life1, OrderPlaced>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Outcome<OrderPlaced>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { call.run().await })
    }
}

fn main() {}
