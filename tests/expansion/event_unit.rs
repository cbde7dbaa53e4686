#[event(new = false, crate = ::facade::mediator_core)]
struct NightFell;
