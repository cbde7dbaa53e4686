//! How long a scenario waits.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// How long a scenario waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// By the machine's clock, on any executor.
    Real(Duration),
    #[cfg(feature = "tokio")]
    Tokio(Duration),
}

/// A future did not end within so long.
pub(super) struct Elapsed(pub(super) Duration);

impl Limit {
    pub(super) const DEFAULT: Self = Self::Real(Duration::from_secs(10));

    pub(super) async fn of<F: Future>(self, mut future: Pin<&mut F>) -> Result<F::Output, Elapsed> {
        match self {
            Self::Real(limit) => {
                let mut alarm = None;
                poll_fn(|cx| {
                    if let Poll::Ready(output) = future.as_mut().poll(cx) {
                        return Poll::Ready(Ok(output));
                    }
                    alarm.get_or_insert_with(|| Alarm::after(limit)).poll(cx).map(|()| Err(Elapsed(limit)))
                })
                .await
            }
            #[cfg(feature = "tokio")]
            Self::Tokio(limit) => tokio::time::timeout(limit, future).await.map_err(|_| Elapsed(limit)),
        }
    }
}

/// Wakes a task after a while; a thread waits for that, until this is dropped.
struct Alarm {
    state: Arc<Mutex<State>>,
    _stops_when_dropped: mpsc::Sender<()>,
}

#[derive(Default)]
struct State {
    has_rung: bool,
    waker: Option<Waker>,
}

impl Alarm {
    fn after(limit: Duration) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let (sender, stopped) = mpsc::channel();
        let rings = state.clone();
        thread::spawn(move || {
            if stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let mut state = rings.lock().unwrap_or_else(PoisonError::into_inner);
                state.has_rung = true;
                if let Some(waker) = state.waker.take() {
                    waker.wake();
                }
            }
        });
        Self { state, _stops_when_dropped: sender }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.has_rung {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
