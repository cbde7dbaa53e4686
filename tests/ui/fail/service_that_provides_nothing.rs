use mediator_core::prelude::*;

#[service]
fn nothing() {}

#[service]
fn unit() -> () {}

#[service]
fn never() -> ! {
    panic!("no service")
}

#[service]
fn maybe_nothing() -> Result<(), String> {
    Ok(())
}

fn main() {}
