//! What an operator does about deliveries that are dead.

use hyper::Request;
use serde_json::{Value, json};

use crate::hub::Hub;

on_each_database! {
    a_dead_delivery_can_be_tried_again
    each_dead_delivery_says_to_which_trace_it_belongs_and_so_does_the_log
}

/// Accepts a webhook that no handler of releases can handle.
async fn accept_untagged(hub: &Hub, id: &str) {
    let payload = json!({
        "action": "published", "release": { "tag_name": "" },
        "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" },
    });
    assert_eq!(hub.client().await.deliver(id, "release", &payload).await.unwrap().status, 202);
}

async fn dead(hub: &Hub) -> Vec<Value> {
    hub.json("/api/deliveries?state=dead").await.as_array().unwrap().clone()
}

async fn a_dead_delivery_can_be_tried_again(hub: Hub) {
    accept_untagged(&hub, "1").await;
    assert_eq!(hub.settled().await, 1);
    let delivery = dead(&hub).await.remove(0);
    assert!(delivery["last_error"].as_str().unwrap().contains("has no tag"), "{delivery}");
    assert_eq!(hub.json("/api/attempts").await["dead"], 1);

    let retry = Request::post(format!("/api/deliveries/{}/retry", delivery["id"]));
    let retry = retry.header("origin", format!("http://{}", hub.address()));
    assert_eq!(hub.client().await.send(retry, "").await.unwrap().json(), json!({ "changed": 1 }));
    assert_eq!(hub.settled().await, 1, "the webhook is as it was");
    assert_eq!(hub.json("/api/attempts").await["dead"], 2);
    assert_eq!(dead(&hub).await[0]["id"], delivery["id"]);
}

async fn each_dead_delivery_says_to_which_trace_it_belongs_and_so_does_the_log(hub: Hub) {
    accept_untagged(&hub, "1").await;
    accept_untagged(&hub, "2").await;
    assert_eq!(hub.settled().await, 2);
    let traces: Vec<_> = dead(&hub).await.iter().map(trace).collect();
    assert_ne!(traces[0], traces[1], "each webhook has one of its own");
    let log = hub.log();
    for trace in traces {
        let mut told = log.lines().filter(|line| line.ends_with(&format!(" trace={trace}")));
        assert!(told.any(|line| line.contains("has no tag") && line.contains("a delivery is dead")), "{trace}: {log}");
    }
}

/// The id in `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
fn trace(delivery: &Value) -> String {
    let headers: Value = serde_json::from_str(delivery["headers"].as_str().expect("headers")).unwrap();
    headers["traceparent"].as_str().expect("a trace").split('-').nth(1).unwrap().to_owned()
}
