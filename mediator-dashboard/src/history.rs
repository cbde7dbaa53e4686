//! The rates and durations of the last minutes.

use std::collections::VecDeque;
use std::time::Duration;

use mediator_outbox::Attempts;
use serde::Serialize;

/// How long one sample is.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// A quarter of an hour.
pub(crate) const SAMPLES: usize = 180;

/// What the workers did in each interval, the last one last.
#[derive(Debug)]
pub(crate) struct History {
    before: Attempts,
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Attempts a second that succeeded.
    pub(crate) done: f64,
    /// Attempts a second that failed.
    pub(crate) failed: f64,
    /// How long an attempt took on average, in seconds; `None` if there was none.
    pub(crate) duration: Option<f64>,
}

impl History {
    pub(crate) fn new(now: Attempts) -> Self {
        Self { before: now, samples: VecDeque::with_capacity(SAMPLES) }
    }

    pub(crate) fn add(&mut self, now: Attempts, elapsed: Duration) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample(&self.before, &now, elapsed.as_secs_f64()));
        self.before = now;
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.samples.iter().copied().collect()
    }
}

#[allow(clippy::cast_precision_loss)] // As many attempts are not made.
fn sample(before: &Attempts, now: &Attempts, seconds: f64) -> Sample {
    let (done, failed) = (now.done - before.done, now.retried + now.dead - before.retried - before.dead);
    let attempts = (done + failed) as f64;
    let ran = now.ran.saturating_sub(before.ran).as_secs_f64();
    Sample {
        done: done as f64 / seconds,
        failed: failed as f64 / seconds,
        duration: (attempts > 0.0).then(|| ran / attempts),
    }
}
