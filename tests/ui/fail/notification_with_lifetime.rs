use mediator_core::prelude::*;

#[derive(Notification)]
struct StockCounted<'a> {
    item: &'a str,
}

fn main() {}
