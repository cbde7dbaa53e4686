#[derive(Notification)]
pub enum StockChanged {
    Counted(u64),
    Moved,
}
