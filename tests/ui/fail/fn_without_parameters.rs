use mediator_core::prelude::*;

#[event_handler]
async fn send_email() {}

fn main() {}
