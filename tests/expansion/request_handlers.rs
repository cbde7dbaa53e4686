#[request_handlers]
impl Orders {
    async fn place(&self, request: &PlaceOrder, tx: &mut Connection) -> Result<OrderConfirmation, OrderError> {}

    #[request_handler(name = "orders.count")]
    fn count(&self, _request: &CountOrders) -> usize {}
}

#[request_handler(ListOrders)]
struct Listing {
    orders: Arc<Orders>,
}

#[request_handler]
impl RequestHandler<FindOrder> for Orders {
    async fn handle(&self, request: &FindOrder) -> Option<Order> {}
}
