use mediator_core::prelude::*;

use std::rc::Rc;

struct NotClone;

#[service]
fn not_clone() -> NotClone {
    NotClone
}

#[service]
fn not_send() -> Rc<u32> {
    Rc::new(1)
}

#[service]
fn asks_for_no_service(_value: NotClone) -> u32 {
    1
}

trait Mailer {}

#[service(dyn Mailer)]
struct Smtp;

impl Mailer for Smtp {}

fn main() {}
