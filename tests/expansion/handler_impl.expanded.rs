impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, event: &OrderPlaced) {
        self.log.write(event);
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::new:: < OrderPlaced, Audit >
    (::core::concat!(::core::module_path!(), "::Audit"), ::core::module_path!(), "1.2.3")
}
