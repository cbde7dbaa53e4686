use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

type Names<'a> = &'a [String];

#[event_handler]
async fn by_alias(_event: &OrderPlaced, _names: Names<'_>) {}

#[event_handler]
async fn by_item(_event: &OrderPlaced, _names: Vec<&str>) {}

#[event_handler]
async fn in_two_options(_event: &OrderPlaced, _name: Option<Option<&str>>) {}

#[event_handler]
async fn pinned(_event: &OrderPlaced, _name: std::pin::Pin<&mut u8>) {}

fn main() {}
