use mediator_core::prelude::*;

#[request(usize)]
struct CountOrders;

#[behavior(CountOrders)]
struct ReturnsSomethingElse;

impl Behavior<CountOrders> for ReturnsSomethingElse {
    async fn handle(&self, mut call: Call<'_, CountOrders>) -> Result<u64, SendError> {
        call.run().await.map(|count| count as u64)
    }
}

#[behavior]
struct IsNotAsync;

impl Behavior for IsNotAsync {
    fn handle(&self, _call: Call<'_>) -> Outcome {
        Ok(())
    }
}

#[behavior(CountOrders)]
struct TakesAnotherCall;

impl Behavior<CountOrders> for TakesAnotherCall {
    async fn handle(&self, _call: Call<'_>) -> Outcome<CountOrders> {
        Ok(3)
    }
}

#[behavior]
struct IsNotSend;

impl Behavior for IsNotSend {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let rc = std::rc::Rc::new(());
        let outcome = call.run().await;
        drop(rc);
        outcome
    }
}

fn main() {}
