#[event_handlers]
impl Triage {
    async fn opened(&self, event: &IssueOpened) {}

    #[event_handler(order = 3, after = Triage::opened)]
    async fn closed(&self, event: &IssueClosed, tx: &mut Connection) {}

    #[event_handler(dyn DynNotification, manual)]
    fn watch(&self, event: &dyn DynNotification, journal: Option<&mut dyn Journal>) {}
}
