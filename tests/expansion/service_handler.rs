#[service(dyn Lines)]
#[event_handler(OrderPlaced)]
struct Log {
    #[inject(default)]
    lines: Mutex<Vec<String>>,
}
