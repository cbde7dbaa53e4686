//! What other services learn.

use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, Scenario};
use mediator_nats::NatsBridge;
use mediator_outbox::InMemoryOutbox;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::hub::Hub;
use crate::support::Server;

/// As another service knows it.
#[event(name = "hub.build_failed")]
#[derive(Serialize, Deserialize)]
struct BuildFailed {
    repository: String,
    build: String,
}

#[event]
struct Told {
    what: String,
}

#[event_handler(durable, manual, name = "pager.tell")]
async fn tell(event: &BuildFailed, publisher: &Publisher) -> Result<(), PublishError> {
    publisher.publish(Told::new(format!("{} of {}", event.build, event.repository))).await
}

#[tokio::test]
async fn another_service_is_told_of_a_failed_build() {
    let Some(server) = Server::start("another_service_is_told_of_a_failed_build").await else { return };
    let hub = Hub::start_with(&["--nats", &server.url()]).await;

    let (outbox, recorder) = (InMemoryOutbox::new(), Recorder::new());
    let builder = Mediator::builder().without_discovery().outbox(outbox.clone()).recorder(&recorder);
    let mediator = builder.bind_fn(tell).build().unwrap();
    let bridge = NatsBridge::connect(&server.url(), "pager").await.unwrap();
    let consumer = bridge.consumer(&mediator, &outbox).start().await.unwrap();
    let worker = outbox.worker(&mediator).start();

    let failed = json!({
        "action": "completed", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" },
        "check_run": { "name": "lint", "conclusion": "failure" },
    });
    let told = Scenario::new(&mediator, &recorder).when(|| async {
        let answer = hub.client().await.deliver("1", "check_run", &failed).await;
        assert_eq!(answer.unwrap().status, 202);
    });
    let told = told.wait_for::<Told>().or_at_most(crate::hub::PATIENCE).await;
    assert_eq!(told.what, "lint of ada/engine");
    assert_eq!(hub.settled().await, 0);

    let grace = std::time::Duration::from_secs(5);
    consumer.shutdown(grace).await;
    worker.shutdown(grace).await;
}
