#[event_handler(crate = ::bus)]
fn count(event: &OrderPlaced, counter: Counter) {
    counter.increment();
}
