//! Health, metrics, and the end.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::json;

use crate::hub::Hub;

#[tokio::test]
async fn health_and_metrics_are_there() {
    let hub = Hub::start().await;
    let star =
        json!({ "action": "created", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" } });
    hub.client().await.deliver("1", "star", &star).await.unwrap();
    assert_eq!(hub.settled().await, 0);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(hub.client().await.get(path).await.unwrap().status, 200);
    }
    let metrics = hub.client().await.get("/metrics").await.unwrap();
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    for line in ["hub_webhooks{status=\"202\"} 1", "mediator_outbox_done{", "mediator_outbox_run_duration_bucket{"] {
        assert!(metrics.text.contains(line), "no {line} in {}", metrics.text);
    }
}

#[tokio::test]
async fn it_ends_within_its_deadline_though_somebody_watches_and_others_are_idle() {
    let hub = Hub::start().await;
    let idle = hub.client().await;
    let mut watching = hub.client().await;
    let mut live = watching.open("/live").await.unwrap();
    let mut seen = String::new();
    while !seen.contains("id: topology") {
        let frame = live.frame().await.unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    let star =
        json!({ "action": "created", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" } });
    for number in 0..100 {
        hub.client().await.deliver(&number.to_string(), "star", &star).await.unwrap();
    }
    let (code, took) = hub.terminate().await;
    assert_eq!(code, Some(0));
    // Its deadline of ten seconds, on a machine that is busy.
    assert!(took < Duration::from_secs(20), "{took:?}");
    live.collect().await.expect("it ends, and is not cut off");
    drop((idle, watching));
}
