use mediator_core::prelude::*;

#[event_handler(dyn DynNotification)]
struct Audit;

fn main() {}
