//! A modular monolith. The orders module publishes `OrderPlaced`; notifications and analytics react
//! to it; none of the three depends on another. This program links them, provides what they need,
//! and lets customers order, once with each strategy. With the argument `topology` it shows who
//! handles what instead.

use std::error::Error;
use std::sync::Arc;

use mediator_core::prelude::*;
use shop_analytics::Sales;
use shop_notifications::{MailError, Mailer};
use shop_orders::{OrderService, Orders, ServiceError};

mediator_core::link_modules!();

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).is_some_and(|argument| argument == "topology") {
        print!("{}", build(SequentialEventPublisher, Arc::default())?.topology().to_mermaid());
        return Ok(());
    }
    println!("One after another: the first failure stops");
    open_shop(SequentialEventPublisher).await?;
    println!("\nAll together: everyone is started");
    open_shop(GroupEventPublisher).await
}

async fn open_shop(strategy: impl EventPublisher) -> anyhow::Result<()> {
    let sales = Arc::<Sales>::default();
    let mediator = build(strategy, sales.clone())?;
    let orders = OrderService::new(Arc::new(Orders::default()), mediator.publisher());

    let mut order = orders.place("ada@example.com", &[1_250, 700]).await?;
    println!("  sales: {} cents", sales.cents());
    orders.cancel(&mut order).await?;
    println!("  sales: {} cents", sales.cents());

    // The order is saved even if a reaction fails; what did not happen is in the error.
    if let Err(error) = orders.place("nobody@nowhere.invalid", &[3_900]).await {
        explain(&error);
    }
    println!("  sales: {} cents", sales.cents());
    Ok(())
}

fn build(strategy: impl EventPublisher, sales: Arc<Sales>) -> Result<Mediator, BuildError> {
    Mediator::builder().provide(Arc::new(Console) as Arc<dyn Mailer>).provide(sales).event_publisher(strategy).build()
}

fn explain(error: &ServiceError) {
    println!("  error: {error}");
    let Some(publish) = error.source().and_then(|source| source.downcast_ref::<PublishError>()) else {
        return;
    };
    println!("    {publish}");
    for handler in publish.not_run() {
        println!("    not run: {handler}");
    }
    if let Some(MailError { address }) = publish.downcast_ref() {
        println!("    so somebody should ask the customer for an address other than {address}");
    }
}

struct Console;

impl Mailer for Console {
    fn send(&self, to: &str, text: &str) -> Result<(), MailError> {
        if to.ends_with(".invalid") {
            return Err(MailError { address: to.to_owned() });
        }
        println!("  mail to {to}: {text}");
        Ok(())
    }
}
