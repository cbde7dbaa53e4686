use mediator_core::prelude::*;

struct Mailer;

fn wire() -> Result<Mediator, BuildError> {
    Mediator::builder().provide(Mailer).build()
}

fn main() {}
