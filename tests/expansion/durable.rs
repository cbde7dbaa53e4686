#[event(name = "orders.placed", version = 3, alias = ["orders.created"], key = order_id, upcast = [from_1, from_2])]
#[derive(Serialize, Deserialize)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[event_handler(
    durable,
    name = "billing.invoice",
    alias = ["billing.bill"],
    retry(attempts = 10, base = "1s", cap = "5m"),
    dead = skip
)]
async fn write_invoice(event: &OrderPlaced, tx: &mut SqliteConnection) -> sqlx::Result<()> {
    Ok(())
}
