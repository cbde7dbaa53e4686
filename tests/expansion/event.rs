/// An order was placed.
#[event(name = "orders.placed")]
#[derive(Debug, Clone)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: String,
    total: u64,
}
