use std::rc::Rc;

use mediator_core::prelude::*;

#[request]
struct Shares(Rc<()>);

#[request(Rc<()>)]
struct AnswersShared;

fn main() {}
