//! Retry and discard.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use mediator_outbox::{DeliveryId, full_text};
use serde_json::json;

use crate::guard::is_same_origin;
use crate::page::last_segment;
use crate::routes::App;
use crate::source::{Change, Which};

/// `deliveries/{id}/{change}`, of a form of the page: goes back to it.
pub(crate) async fn form_one(
    State(app): State<Arc<App>>,
    Path((id, change)): Path<(DeliveryId, Change)>,
    uri: OriginalUri,
    parts: Parts,
) -> Response {
    match change_allowed(&app, parts, Which::One(id), change).await {
        Ok(_) => back(&uri),
        Err(refused) => refused.into_response(),
    }
}

/// `handlers/{name}/{change}`, of all dead deliveries to a handler.
pub(crate) async fn form_handler(
    State(app): State<Arc<App>>,
    Path((handler, change)): Path<(String, Change)>,
    uri: OriginalUri,
    parts: Parts,
) -> Response {
    match change_allowed(&app, parts, Which::ToHandler(handler), change).await {
        Ok(_) => back(&uri),
        Err(refused) => refused.into_response(),
    }
}

pub(crate) async fn api_one(
    State(app): State<Arc<App>>,
    Path((id, change)): Path<(DeliveryId, Change)>,
    parts: Parts,
) -> Response {
    answer(change_allowed(&app, parts, Which::One(id), change).await)
}

pub(crate) async fn api_handler(
    State(app): State<Arc<App>>,
    Path((handler, change)): Path<(String, Change)>,
    parts: Parts,
) -> Response {
    answer(change_allowed(&app, parts, Which::ToHandler(handler), change).await)
}

/// Why nothing was changed.
pub(crate) enum Refused {
    ForeignOrigin,
    ReadOnly,
    Store(String),
}

async fn change_allowed(app: &App, parts: Parts, which: Which, change: Change) -> Result<u64, Refused> {
    if !is_same_origin(&parts.headers) {
        return Err(Refused::ForeignOrigin);
    }
    if !app.may_change(parts).await {
        return Err(Refused::ReadOnly);
    }
    let changed = app.watcher.source().change(which, change).await;
    app.watcher.look_again();
    changed.map_err(|error| Refused::Store(full_text(&error)))
}

fn answer(changed: Result<u64, Refused>) -> Response {
    match changed {
        Ok(changed) => Json(json!({ "changed": changed })).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// From `…/mediator/deliveries/17/retry` to `…/mediator`, relative: a proxy may have cut off what is before it.
fn back(uri: &OriginalUri) -> Response {
    let prefix = uri.path().rsplitn(4, '/').last().unwrap_or_default();
    let page = match last_segment(prefix) {
        "" => "../../".to_owned(),
        segment => format!("../../../{segment}"),
    };
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "the request does not come from this page: its origin is another one".to_owned(),
            ),
            Self::ReadOnly => (StatusCode::FORBIDDEN, "not allowed to retry or discard".to_owned()),
            Self::Store(error) => (StatusCode::SERVICE_UNAVAILABLE, error),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
