use mediator_core::prelude::*;

#[service(String)]
struct Smtp;

#[service(dyn Send, dyn Send)]
struct Twice;

#[service(dyn Send)]
fn limit() -> u32 {
    1
}

#[service(name = "limit")]
fn named() -> u16 {
    1
}

#[service]
#[service]
fn marked_twice() -> u8 {
    1
}

#[service]
fn opaque() -> impl Clone {
    1
}

fn main() {}
