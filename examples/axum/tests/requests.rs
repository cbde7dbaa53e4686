//! What requests publish, and what happens to it when the client does not wait.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum_example::{Journal, OrderPlaced};
use http_body_util::BodyExt;
use mediator_core::prelude::*;
use mediator_core::testing::{Recorder, Scenario, assert_not_published};
use tower::ServiceExt;

fn mediator(recorder: &Recorder) -> (Mediator, Arc<Journal>) {
    let journal = Arc::<Journal>::default();
    (Mediator::builder().provide(journal.clone()).recorder(recorder).build().unwrap(), journal)
}

fn post(path: &str, tenant: Option<&str>, body: &serde_json::Value) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = tenant.into_iter().fold(request, |request, tenant| request.header("x-tenant", tenant));
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn handlers_borrow_the_tenant_of_the_request() {
    let (mediator, journal) = mediator(&Recorder::new());
    let app = axum_example::router(&mediator);
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 7 }));
    assert_eq!(app.clone().oneshot(order).await.unwrap().status(), StatusCode::CREATED);
    let quote = post("/quotes", Some("bolt"), &serde_json::json!({ "pieces": 3 }));
    assert_eq!(app.oneshot(quote).await.unwrap().status(), StatusCode::OK);
    assert_eq!(journal.lines(), ["acme ordered for 7", "bolt asked for 3 pieces"]);
}

#[tokio::test]
async fn a_failure_is_for_the_log_and_not_for_the_client() {
    let (mediator, journal) = mediator(&Recorder::new());
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 99_999 }));
    let response = axum_example::router(&mediator).oneshot(order).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "the request could not be processed");
    assert!(journal.lines().is_empty());
}

#[tokio::test]
async fn without_a_tenant_nothing_is_published() {
    let recorder = Recorder::new();
    let (mediator, _journal) = mediator(&recorder);
    let order = post("/orders", None, &serde_json::json!({ "total": 7 }));
    let response = axum_example::router(&mediator).oneshot(order).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_not_published!(recorder, OrderPlaced);
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_on_when_its_client_disconnects() {
    let recorder = Recorder::new();
    let (mediator, journal) = mediator(&recorder);
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 7 }));
    let request = axum_example::router(&mediator).oneshot(order);
    // As a server does with a request whose connection is gone: its future is dropped.
    let disconnect = || async {
        tokio::time::timeout(Duration::from_millis(1), request).await.unwrap_err();
        assert!(journal.lines().is_empty());
    };
    Scenario::new(&mediator, &recorder).when(disconnect).wait_for::<OrderPlaced>().await;
    assert_eq!(journal.lines(), ["acme ordered for 7"]);
}
