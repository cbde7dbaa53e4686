//! What operators type.

use clap::Parser;
use mediator_core::prelude::*;
use mediator_outbox::InMemoryOutbox;
use mediator_outbox::cli::Command;
use serde::{Deserialize, Serialize};

#[event(name = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    order_id: String,
}

#[event_handler(durable, manual, name = "mail.confirm", retry(attempts = 1))]
async fn confirm(_event: &OrderPlaced) -> Result<(), &'static str> {
    Err("the server\nis down")
}

#[event_handler(durable, manual, name = "audit.note")]
async fn note(_event: &OrderPlaced) {}

#[derive(Parser)]
struct App {
    #[command(subcommand)]
    command: Command,
}

/// An outbox with a dead delivery and one that was never delivered.
async fn outbox() -> InMemoryOutbox {
    let outbox = InMemoryOutbox::new();
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone());
    let mediator = builder.bind_fn(confirm).build().unwrap();
    mediator.publish(OrderPlaced::new("o-1".into())).await.unwrap();
    outbox.worker(&mediator).drain().await.unwrap();
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone());
    let mediator = builder.bind_fn(note).build().unwrap();
    mediator.publish(OrderPlaced::new("o-2".into())).await.unwrap();
    outbox
}

async fn run(outbox: &InMemoryOutbox, arguments: &str) -> String {
    let app = App::try_parse_from(["app"].into_iter().chain(arguments.split(' '))).unwrap();
    let mut out = Vec::new();
    app.command.run(outbox, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn deliveries_are_listed_shown_and_counted() {
    let outbox = outbox().await;
    let listed = run(&outbox, "list").await;
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("dead     mail.confirm  orders.placed  1 attempts"), "{listed}");
    assert!(lines[0].ends_with("the server is down"), "{listed}");
    assert!(lines[1].contains("ready    audit.note  orders.placed  0 attempts"), "{listed}");
    assert_eq!(run(&outbox, "list --state ready --json").await.matches("\"handler\"").count(), 1);
    assert!(run(&outbox, "list --limit 1").await.ends_with("there may be more: --after 1\n"));

    let shown = run(&outbox, "show 1").await;
    assert!(shown.contains("payload   {\"event_id\":") && shown.contains("\"order_id\":\"o-1\""), "{shown}");
    let shown: serde_json::Value = serde_json::from_str(&run(&outbox, "show 1 --json").await).unwrap();
    assert_eq!(shown["payload"]["order_id"], "o-1");

    let stats = run(&outbox, "stats").await;
    assert!(stats.lines().any(|line| line.split_whitespace().take(5).eq(["in", "all", "1", "0", "0"])), "{stats}");
    let stats: serde_json::Value = serde_json::from_str(&run(&outbox, "stats --json").await).unwrap();
    assert_eq!(stats["total"]["dead"], 1);
}

#[tokio::test]
async fn dead_deliveries_are_retried_and_discarded() {
    let outbox = outbox().await;
    assert_eq!(run(&outbox, "retry --handler audit.note").await, "retried 0\n");
    assert_eq!(run(&outbox, "retry --id 1").await, "retried 1\n");
    assert_eq!(outbox.stats().await.unwrap().dead(), 0);
    assert_eq!(run(&outbox, "discard --all --json").await, "{\n  \"discarded\": 0\n}\n");
}

#[tokio::test]
async fn what_is_missing_or_too_much_is_refused() {
    let outbox = outbox().await;
    let app = App::try_parse_from(["app", "discard"]).unwrap();
    let error = app.command.run(&outbox, &mut Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("`--all`"), "not all of them by accident: {error}");
    let app = App::try_parse_from(["app", "show", "99"]).unwrap();
    let error = app.command.run(&outbox, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no delivery 99");
}
