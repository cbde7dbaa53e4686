#[event_handler(OrderPlaced)]
async fn write_invoice(event: &OrderPlaced, mailer: Arc<dyn Mailer>, tx: &mut Connection<'_>, tenant: Option<&Tenant>) -> Result<(), DbError> {
    tx.insert(event).await
}
