//! Serves the application at 127.0.0.1:3000:
//!
//! ```sh
//! curl -i -H 'x-tenant: acme' --json '{"total": 7}' http://127.0.0.1:3000/orders
//! ```

use std::sync::Arc;

use axum_example::Journal;
use mediator_core::prelude::*;
use tokio::net::TcpListener;

mediator_core::link_modules!();

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let builder = Mediator::builder().provide(Arc::<Journal>::default());
    let mediator = builder.require_handlers_for_all_events().build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, axum_example::router(&mediator)).await?;
    Ok(())
}
