#[request(OrderConfirmation, error = OrderError)]
#[derive(Debug)]
pub struct PlaceOrder {
    pub item: String,
    pub total: u32,
}

#[request]
enum Tidy {
    Now,
    Later,
}
