use mediator_core::prelude::*;

#[derive(Notification)]
#[notification(new = false)]
struct StockCounted;

#[derive(Notification)]
#[notification = "stock.counted"]
struct StockMoved;

fn main() {}
