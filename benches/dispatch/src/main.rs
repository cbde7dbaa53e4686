//! Measures everything and writes `BENCHMARKS.md` with its plot: `cargo run --release` in this folder. With the argument
//! `lending` it measures what lending costs, with `sending` what a send costs, and writes nothing.

use std::io;

use dispatch_benchmarks::measure::Counting;
use dispatch_benchmarks::report::Report;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<()> {
    let mut report = Report::default();
    if std::env::args().nth(1).is_some_and(|argument| argument == "lending") {
        report.table(dispatch_benchmarks::lending::borrows());
        report.table(dispatch_benchmarks::lending::nested());
        return Ok(());
    }
    if std::env::args().nth(1).is_some_and(|argument| argument == "sending") {
        report.table(dispatch_benchmarks::sending::sends());
        return Ok(());
    }
    report.table(dispatch_benchmarks::one_ready());
    report.table(dispatch_benchmarks::three_ready());
    report.table(dispatch_benchmarks::four_ready());
    report.table(dispatch_benchmarks::parts());
    report.table(dispatch_benchmarks::four_pending());
    report.table(dispatch_benchmarks::group_of_four());
    report.table(dispatch_benchmarks::group_of_sixty_four());
    report.table(dispatch_benchmarks::lending::borrows());
    report.table(dispatch_benchmarks::lending::nested());
    report.table(dispatch_benchmarks::sending::sends());
    report.table(dispatch_benchmarks::new_event());
    report.scaling();
    report.threads();
    report.write()
}
