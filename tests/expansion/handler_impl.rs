#[event_handler]
impl EventHandler<OrderPlaced> for Audit {
    async fn handle(&self, event: &OrderPlaced) {
        self.log.write(event);
    }
}
