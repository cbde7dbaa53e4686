//! A process of a service, as its only argument says, to be killed by tests.

use services_tests::{Plan, run};

fn main() -> anyhow::Result<()> {
    let plan = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("the argument is a plan as JSON"))?;
    let plan: Plan = serde_json::from_str(&plan)?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(plan))
}
