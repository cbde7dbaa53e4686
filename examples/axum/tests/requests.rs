//! What requests publish, and what happens to it when the client does not wait.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum_example::Journal;
use http_body_util::BodyExt;
use mediator_core::prelude::*;
use tower::ServiceExt;

fn mediator() -> (Mediator, Arc<Journal>) {
    let journal = Arc::<Journal>::default();
    (Mediator::builder().provide(journal.clone()).build().unwrap(), journal)
}

fn post(path: &str, tenant: Option<&str>, body: &serde_json::Value) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = tenant.into_iter().fold(request, |request, tenant| request.header("x-tenant", tenant));
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn handlers_borrow_the_tenant_of_the_request() {
    let (mediator, journal) = mediator();
    let app = axum_example::router(&mediator);
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 7 }));
    assert_eq!(app.clone().oneshot(order).await.unwrap().status(), StatusCode::CREATED);
    let quote = post("/quotes", Some("bolt"), &serde_json::json!({ "pieces": 3 }));
    assert_eq!(app.oneshot(quote).await.unwrap().status(), StatusCode::OK);
    assert_eq!(journal.lines(), ["acme ordered for 7", "bolt asked for 3 pieces"]);
}

#[tokio::test]
async fn a_failure_is_for_the_log_and_not_for_the_client() {
    let (mediator, journal) = mediator();
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 99_999 }));
    let response = axum_example::router(&mediator).oneshot(order).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "the request could not be processed");
    assert!(journal.lines().is_empty());
}

#[tokio::test]
async fn without_a_tenant_nothing_is_published() {
    let (mediator, journal) = mediator();
    let order = post("/orders", None, &serde_json::json!({ "total": 7 }));
    let response = axum_example::router(&mediator).oneshot(order).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(journal.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_on_when_its_client_disconnects() {
    let (mediator, journal) = mediator();
    let order = post("/orders", Some("acme"), &serde_json::json!({ "total": 7 }));
    let request = axum_example::router(&mediator).oneshot(order);
    // As a server does with a request whose connection is gone: its future is dropped.
    tokio::time::timeout(Duration::from_millis(1), request).await.unwrap_err();
    assert!(journal.lines().is_empty());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(journal.lines(), ["acme ordered for 7"]);
}
