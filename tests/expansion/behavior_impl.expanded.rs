impl Behavior<PlaceOrder> for CheckCredit {
    async fn handle(
        &self,
        mut call: Call<'_, PlaceOrder>,
    ) -> Result<OrderConfirmation, OrderError> {
        call.run().await
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::BehaviorRegistration::new:: < PlaceOrder, CheckCredit >
    (::core::concat!(::core::module_path!(), "::CheckCredit"), ::core::module_path!(),
    "1.2.3").order_by(< CheckCredit > ::ORDER)
}
impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::BehaviorRegistration::new:: <
    ::mediator_core::AnyMessage, Timing > (::core::concat!(::core::module_path!(),
    "::Timing"), ::core::module_path!(), "1.2.3").lends(const { &
    [::mediator_core::__private::Borrow::exclusive:: < SqliteConnection > ("")] })
}
