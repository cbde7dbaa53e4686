#[event(nmae = "orders.placed")]
enum OrderChanged {
    Placed,
}

#[event]
struct Moved(u64);

#[event_handler]
async fn send_email(event: OrderPlaced, mailer: &Mailer, attempts: u32) {}
