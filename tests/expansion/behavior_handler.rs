#[behavior]
#[service]
#[event_handler(OrderPlaced)]
struct Audit {
    log: Arc<Log>,
}
