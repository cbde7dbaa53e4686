#[event_handler(timeout = "2s", retry(attempts = 3, base = "50ms", cap = "1m"), crate = ::bus)]
async fn announce(event: &OrderPlaced) {}

#[request_handler(retry(attempts = 5), name = "orders.place", crate = ::bus)]
async fn place(request: &PlaceOrder) -> Result<u64, OrderError> {}

#[event_handler(OrderPlaced, timeout = "90s", crate = ::bus)]
struct SendEmail;
