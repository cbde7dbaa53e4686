//! Rates and durations of the last minutes.

use maud::{Markup, html};

use crate::history::{INTERVAL, SAMPLES, Sample};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 190.0;
/// Beside the plot, for the numbers.
const LEFT: f64 = 96.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 34.0;

pub(crate) fn plots(samples: &[Sample]) -> Markup {
    let rates = samples.iter().map(|sample| sample.done + sample.failed);
    let durations: Vec<_> = samples.iter().map(|sample| sample.duration.map(|seconds| seconds * 1e3)).collect();
    html! {
        h2 { "Rates and durations" }
        div.plots {
            figure {
                figcaption { "Attempts a second: " span.done { "succeeded" } ", " span.failed { "failed" } }
                (frame("Attempts a second", ceiling(rates), "", |y| bars(samples, y)))
            }
            figure {
                figcaption { "Duration of an attempt, on average" }
                (frame("Milliseconds for an attempt", ceiling(durations.iter().copied().flatten()), " ms", |y| line(&durations, y)))
            }
        }
    }
}

/// A round number that is not below any of these.
fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.fold(0.0, f64::max);
    if most <= 0.0 {
        return 1.0;
    }
    let unit = 10f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * unit).into_iter().find(|top| *top >= most).unwrap_or(most)
}

fn frame(label: &str, top: f64, unit: &str, content: impl Fn(&dyn Fn(f64) -> f64) -> Markup) -> Markup {
    let floor = HEIGHT - BOTTOM;
    let y = |value: f64| floor - value / top * (floor - TOP);
    let minutes = INTERVAL.as_secs() * SAMPLES as u64 / 60;
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (label) ", the last " (minutes) " minutes" } {
            @for value in [0.0, top / 2.0, top] {
                line.grid x1=(LEFT) x2=(WIDTH) y1=(y(value)) y2=(y(value)) {}
                text.axis x=(LEFT - 6.0) y=(y(value) + 5.0) text-anchor="end" { (value) (unit) }
            }
            text.axis x=(LEFT) y=(HEIGHT - 6.0) { (minutes) " min ago" }
            text.axis x=(WIDTH) y=(HEIGHT - 6.0) text-anchor="end" { "now" }
            (content(&y))
        }
    }
}

/// Where the sample is, of so many that there are; the last one is at the right.
#[allow(clippy::cast_precision_loss)] // There are few.
fn x(index: usize, samples: usize) -> f64 {
    LEFT + (WIDTH - LEFT) * (SAMPLES - samples + index) as f64 / SAMPLES as f64
}

fn bars(samples: &[Sample], y: &dyn Fn(f64) -> f64) -> Markup {
    let bar = (WIDTH - LEFT) / SAMPLES as f64 - 0.6;
    let rect = |index, class: &str, from: f64, to: f64| {
        html! { @if to > from {
            rect class=(class) x=(x(index, samples.len())) y=(y(to)) width=(bar) height=(y(from) - y(to)) {}
        } }
    };
    html! {
        @for (index, sample) in samples.iter().enumerate() {
            (rect(index, "done", 0.0, sample.done))
            (rect(index, "failed", sample.done, sample.done + sample.failed))
        }
    }
}

/// With gaps where there was no attempt.
fn line(values: &[Option<f64>], y: &dyn Fn(f64) -> f64) -> Markup {
    let middle = (WIDTH - LEFT) / SAMPLES as f64 / 2.0;
    let points: Vec<_> =
        values.iter().enumerate().map(|(index, value)| Some((x(index, values.len()) + middle, y((*value)?)))).collect();
    html! {
        @for run in points.split(Option::is_none).filter(|run| !run.is_empty()) {
            @let run: Vec<_> = run.iter().flatten().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            polyline.duration points=(run.join(" ")) {}
            @if let [point] = run.as_slice() {
                @let (x, y) = point.split_once(',').unwrap_or_default();
                circle.duration cx=(x) cy=(y) r="2" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // They are these numbers.
    fn scales_end_at_round_numbers() {
        for (most, top) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (7.0, 10.0), (120.0, 200.0)] {
            assert_eq!(ceiling([most].into_iter()), top);
        }
    }
}
