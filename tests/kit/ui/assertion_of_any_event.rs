use mediator_core::testing::{Recorder, assert_published};

fn main() {
    let recorder = Recorder::new();
    assert_published!(recorder, _);
}
