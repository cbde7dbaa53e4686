use mediator_core::testing::{Recorder, assert_not_published, assert_published, assert_published_once};

fn main() {
    let recorder = Recorder::new();
    assert_published!(recorder);
    assert_published_once!(recorder,);
    assert_not_published!(&recorder);
}
