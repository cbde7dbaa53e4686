use mediator_core::service;
use std::cell::Cell;
use std::rc::Rc;

#[service]
struct Injected(Rc<u8>);

#[service]
struct Filled {
    #[inject(default)]
    cell: Cell<u8>,
}

#[service]
struct Boxed {
    text: Box<dyn AsRef<str>>,
}

#[service]
fn from_rc(_number: Rc<u8>) -> u8 {
    1
}

#[service]
fn from_cell(_number: Cell<u8>) -> u16 {
    1
}

fn main() {}
