//! The page as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mediator_outbox::{StoreError, full_text};
use serde::Serialize;
use serde_json::json;

use crate::actions::Refused;
use crate::history::INTERVAL;
use crate::routes::App;
use crate::source::Wanted;

pub(crate) async fn topology(State(app): State<Arc<App>>) -> Response {
    Json(app.mediator.topology()).into_response()
}

pub(crate) async fn stats(State(app): State<Arc<App>>) -> Response {
    answer(app.watcher.source().stats().await)
}

pub(crate) async fn attempts(State(app): State<Arc<App>>) -> Response {
    Json(app.watcher.source().attempts()).into_response()
}

pub(crate) async fn rates(State(app): State<Arc<App>>) -> Response {
    Json(json!({ "interval_seconds": INTERVAL.as_secs(), "samples": app.watcher.samples() })).into_response()
}

pub(crate) async fn section(State(app): State<Arc<App>>) -> Response {
    match app.watcher.section().await {
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "this application has no section" }))).into_response(),
        Some(Ok(content)) => Json(content).into_response(),
        Some(Err(error)) => Refused::Store(error).into_response(),
    }
}

pub(crate) async fn deliveries(State(app): State<Arc<App>>, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    match wanted {
        Ok(Query(wanted)) => answer(app.watcher.source().list(wanted).await),
        Err(rejected) => (rejected.status(), Json(json!({ "error": rejected.body_text() }))).into_response(),
    }
}

fn answer<T: Serialize>(answer: Result<T, StoreError>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => Refused::Store(full_text(&error)).into_response(),
    }
}
