#[event_handler(OrderPlaced, orders::OrderCancelled, order = -10, after = ReserveStock)]
struct SendEmail {
    mailer: Arc<dyn Mailer>,
}
