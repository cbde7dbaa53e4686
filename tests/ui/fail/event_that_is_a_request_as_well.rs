use mediator_core::prelude::*;

#[event]
#[request]
struct A { x: u8 }

#[request]
#[event]
struct B { x: u8 }

#[event]
#[derive(Debug, Notification)]
struct C { x: u8 }

#[derive(Debug, Notification)]
#[event]
struct D { x: u8 }

#[request]
#[derive(Debug, Notification)]
struct E { x: u8 }

#[derive(Debug, Notification)]
#[request]
struct F { x: u8 }

fn main() {}
