#[request_handler]
async fn place_order(request: &PlaceOrder, orders: Arc<Orders>) -> Result<OrderConfirmation, OrderError> {
    orders.place(request).await
}

#[request_handler(manual)]
fn write(request: &Write, tx: &mut Connection, sender: &Sender) -> usize {
    tx.write(request)
}
