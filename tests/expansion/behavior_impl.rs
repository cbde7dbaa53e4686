#[behavior(order = Self::ORDER)]
impl Behavior<PlaceOrder> for CheckCredit {
    async fn handle(&self, mut call: Call<'_, PlaceOrder>) -> Result<OrderConfirmation, OrderError> {
        call.run().await
    }
}

#[behavior(lends(&mut SqliteConnection))]
impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}
