//! Times of candidates that take turns.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How often the candidates take turns.
pub const ROUNDS: usize = 7;

/// How long something takes.
pub async fn timed(work: impl Future<Output = Result<()>>) -> Result<f64> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The median and the extremes of what several rounds gave.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { least: values[0], median: values[values.len() / 2], most: values[values.len() - 1] }
    }

    /// The ratios of one candidate's times to another's, round by round.
    pub fn of_ratios(times: &[f64], others: &[f64]) -> Self {
        Self::of(times.iter().zip(others).map(|(time, other)| time / other))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, median, most } = self;
        let digits = f.precision().unwrap_or(2);
        write!(f, "{median:.digits$} ({least:.digits$}–{most:.digits$})")
    }
}

/// So many in a second, by the median of the rounds.
pub fn rate(count: usize, seconds: &[f64]) -> String {
    thousands(count as f64 / Spread::of(seconds.iter().copied()).median)
}

pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

/// One of a hundred parts of what was measured.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

pub fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
