//! One event, three handlers that do not know each other, one mediator.

use std::sync::Arc;

use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: String,
    customer: String,
}

#[event_handler(OrderPlaced)]
struct SendConfirmation {
    mailer: Arc<dyn Mailer>, // injected
}

impl EventHandler<OrderPlaced> for SendConfirmation {
    async fn handle(&self, event: &OrderPlaced) -> anyhow::Result<()> {
        self.mailer.send(&event.customer, &format!("we have your order {}", event.order_id))
    }
}

#[event_handler]
async fn reserve_stock(event: &OrderPlaced) {
    println!("stock: reserved for order {}", event.order_id);
}

#[event_handler(order = 10)] // after the others
fn write_journal(event: &OrderPlaced) {
    println!("journal: order {} was placed", event.order_id);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mediator = Mediator::builder().provide(Arc::new(Console) as Arc<dyn Mailer>).build()?;
    mediator.publish(OrderPlaced::new("o-1".into(), "ada@example.com".into())).await?;
    Ok(())
}

trait Mailer: Send + Sync {
    fn send(&self, to: &str, text: &str) -> anyhow::Result<()>;
}

struct Console;

impl Mailer for Console {
    fn send(&self, to: &str, text: &str) -> anyhow::Result<()> {
        println!("mail to {to}: {text}");
        Ok(())
    }
}
