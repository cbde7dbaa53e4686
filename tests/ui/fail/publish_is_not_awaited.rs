#![deny(warnings)]

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {}

pub async fn place(mediator: &Mediator) {
    mediator.publish(OrderPlaced::new());
}

fn main() {}
