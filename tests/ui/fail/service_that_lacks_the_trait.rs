use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

trait Mailer: Send + Sync {}

#[service(dyn Mailer)]
struct Smtp;

fn main() {}
