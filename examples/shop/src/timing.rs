//! Tells what takes long.

use std::time::{Duration, Instant};

use mediator_core::prelude::*;

const LONG: Duration = Duration::from_secs(1);

/// Around every handler, outside of its transaction.
#[behavior]
struct Timing;

impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        let started = Instant::now();
        let outcome = call.run().await;
        let elapsed = started.elapsed();
        if elapsed > LONG {
            eprintln!("{} took {elapsed:?} for {}", call.handler().name(), call.name());
        }
        outcome
    }
}
