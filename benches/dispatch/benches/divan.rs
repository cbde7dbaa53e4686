//! Divan's opinion of the same candidates, allocations included: `cargo bench` in this folder.

use dispatch_benchmarks::lending;
use dispatch_benchmarks::measure::Table;
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A sample is so many publishes, so that its microseconds are nanoseconds of one.
const TIMES: u64 = 1_000;

fn main() {
    divan::main();
}

fn names(table: fn() -> Table) -> Vec<String> {
    table().candidates.into_iter().map(|(name, _)| name).collect()
}

fn bench(bencher: Bencher, table: fn() -> Table, name: &str) {
    // All of them: one keeps the mediator of another alive.
    let mut candidates = table().candidates;
    let (_, run) = candidates.iter_mut().find(|(candidate, _)| candidate == name).expect("one of the names");
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| run(TIMES));
}

macro_rules! bench_tables {
    ($module:ident: $($table:ident)*) => {$(
        #[divan::bench(args = names($module::$table))]
        fn $table(bencher: Bencher, name: &str) {
            bench(bencher, $module::$table, name);
        }
    )*};
}

bench_tables!(lending: borrows strategies nested);
bench_tables! {
    dispatch_benchmarks:
    one_ready three_ready four_ready parts four_pending group_of_four group_of_sixty_four new_event
}
