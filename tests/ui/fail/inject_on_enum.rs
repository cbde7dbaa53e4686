use mediator_core::prelude::*;

#[derive(Inject)]
enum Mailer {
    Smtp,
    Post,
}

fn main() {}
