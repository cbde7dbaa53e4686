use std::future::poll_fn;
use std::task::Poll;

use futures::channel::oneshot;
use futures::future::{FutureExt, Shared};

/// Is pending `times` times, each time asking to be polled again.
pub async fn pending(times: usize) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a handler waits at until the test says `open.send(())`.
pub type Gate = Shared<oneshot::Receiver<()>>;

pub fn gate() -> (oneshot::Sender<()>, Gate) {
    let (open, gate) = oneshot::channel();
    (open, gate.shared())
}
