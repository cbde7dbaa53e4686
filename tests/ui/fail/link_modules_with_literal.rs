mediator_core::link_modules!("billing");

fn main() {}
