use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future that the test polls by hand.
pub struct Stepped<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a, T> Stepped<'a, T> {
    pub fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// Polls once, whether or not anybody asked for it.
    pub fn step(&mut self) -> Poll<T> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Whether the future has asked to be polled again since the last time this was called.
    pub fn woken(&mut self) -> bool {
        self.wakes.0.swap(0, Ordering::Relaxed) > 0
    }

    /// Polls as an executor does: for as long as the future asks for it.
    pub fn run_until_stalled(&mut self) -> Poll<T> {
        loop {
            let polled = self.step();
            if polled.is_ready() || !self.woken() {
                return polled;
            }
        }
    }
}
