#[mediator_core::event(crate = ::mediator)]
pub struct OrderPlaced {
    pub order_id: u64,
}

#[derive(mediator_core::Notification)]
#[notification(crate = ::mediator)]
struct StockCounted;

#[mediator_core::event_handler(StockCounted, crate = ::mediator)]
struct Count {
    #[inject(default)]
    counted: u64,
}

#[mediator_core::event_handler(crate = ::mediator)]
async fn log(event: &OrderPlaced, #[inject(with = "order")] prefix: &'static str) {
    println!("{prefix} {}", event.order_id);
}

fn main() {}
