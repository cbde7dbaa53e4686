//! The result of a call is read as that of its message, so it must not pass for one of another message, not even of a subtype.

use mediator_core::Call;

type Wide = for<'x> fn(&'x u8);
type Narrow = fn(&'static u8);

fn narrowed<'a>(call: Call<'a, Wide>) -> Call<'a, Narrow> {
    call
}

fn main() {}
