use mediator_core::testing::{Recorder, assert_published};

struct NoEvent {
    order_id: u64,
}

fn main() {
    let recorder = Recorder::new();
    assert_published!(recorder, NoEvent { order_id: 7 });
}
