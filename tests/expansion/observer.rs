#[event_handler]
fn observe(event: &dyn DynNotification, publisher: &Publisher) {}
