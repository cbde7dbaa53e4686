//! Measures everything and writes `BENCHMARKS.md` with its plot: `cargo run --release` in this folder. With the argument
//! `lending` it measures only what lending costs, with `sending` only what a send costs, with `behaving` only what behaviors cost,
//! and writes nothing.

use std::io;

use dispatch_benchmarks::lending;
use dispatch_benchmarks::measure::Counting;
use dispatch_benchmarks::report::Report;
use dispatch_benchmarks::scale;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<()> {
    let mut report = Report::default();
    match std::env::args().nth(1).as_deref() {
        Some("lending") => {
            lend(&mut report);
            return Ok(());
        }
        Some("sending") => {
            report.table(dispatch_benchmarks::sending::sends());
            return Ok(());
        }
        Some("behaving") => {
            behave(&mut report);
            return Ok(());
        }
        _ => {}
    }
    report.table(dispatch_benchmarks::one_ready());
    report.table(dispatch_benchmarks::three_ready());
    report.table(dispatch_benchmarks::four_ready());
    report.table(dispatch_benchmarks::parts());
    report.table(dispatch_benchmarks::four_pending());
    report.table(dispatch_benchmarks::group_of_four());
    report.table(dispatch_benchmarks::group_of_sixty_four());
    report.table(dispatch_benchmarks::sending::sends());
    behave(&mut report);
    report.table(dispatch_benchmarks::new_event());
    report.scaling();
    report.threads("Two threads", scale::publishing());
    lend(&mut report);
    report.write()
}

fn behave(report: &mut Report) {
    report.table(dispatch_benchmarks::behaving::publishes_inside());
    report.table(dispatch_benchmarks::behaving::sends_inside());
}

fn lend(report: &mut Report) {
    report.table(lending::borrows());
    report.table(lending::strategies());
    report.table(lending::nested());
    report.threads("Two threads that lend", lending::two_threads());
}
